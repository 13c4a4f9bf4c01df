"""Persons: skin, clothes between skin and air, and a pose."""

from dataclasses import dataclass

import numpy as np

from mmthermal.synthetic.bodies import CORE, Body, Floats, mix
from mmthermal.synthetic.surroundings import Surroundings

# u forward, v up, w to the left, metres.


@dataclass(frozen=True)
class _Outfit:
    """Temperatures of the parts of a person, kelvin, and whether the clothes are warm ones."""

    warm: bool
    skin: float
    top: float
    legs: float
    sleeves: float
    shins: float
    shoes: float
    hands: float
    hair: float


@dataclass(frozen=True)
class _Build:
    """Stature, girth and pose: joints in the (u, v) plane, phase and swing of the gait."""

    pose: str
    stature: float
    girth: float
    lean: float
    hip: tuple[float, float]
    shoulder: tuple[float, float]
    phase: float
    swing: float


def person(
    rng: np.random.Generator, around: Surroundings, *, pose: str | None = None, stature: float = 0.0
) -> Body:
    """A person whose skin is warm and whose clothes lie between skin and air.

    Args:
        rng: source of build, clothes and limb angles.
        around: surroundings that set the temperatures.
        pose: 'stand', 'walk', 'run' or 'ride'; drawn by chance when None.
        stature: height in metres; drawn by chance when 0.
    """
    if pose is None:
        pose = str(rng.choice(["stand", "walk", "run"], p=[0.38, 0.54, 0.08]))
    s = stature or float(np.clip(rng.normal(1.71, 0.10), 1.45, 1.98))
    if not stature and rng.random() < 0.1 and pose != "ride":
        s = float(rng.uniform(1.05, 1.4))
    girth = rng.uniform(0.88, 1.22)
    outfit = _dress(rng, around)
    body = Body("person", texture=float(0.03 * abs(outfit.skin - around.air) + 0.2))
    build = _stand(rng, pose, s, girth)
    coat = outfit.warm and pose != "ride" and rng.random() < 0.3
    for side in (-1.0, 1.0):
        _leg(body, rng, build, outfit, side, coat=coat)
        _half_torso(body, build, outfit, side)
        _arm(body, rng, build, outfit, side)
    _spine_and_head(body, rng, build, outfit, around.air)
    if pose != "ride" and rng.random() < 0.22:
        _backpack(body, build, mix(around.air, outfit.skin, rng.uniform(0.02, 0.14)))
    return body


def _dress(rng: np.random.Generator, around: Surroundings) -> _Outfit:
    """Clothes for the weather."""
    air = around.air
    chill = max(0.0, 293.0 - air)
    skin = CORE - rng.uniform(2.5, 5.0) - 0.16 * chill * rng.uniform(0.5, 1.3)
    warm = rng.random() < np.clip((297.0 - air) / 14.0, 0.05, 0.95)
    sunlit = around.sun * rng.uniform(0, 6.0)
    insulation = rng.uniform(0.16, 0.36) if warm else rng.uniform(0.38, 0.68)
    top = mix(air, skin, insulation) + sunlit
    legs = mix(air, skin, insulation * rng.uniform(0.7, 1.15)) + sunlit * 0.7
    sleeves = skin - 1.0 if (not warm and rng.random() < 0.6) else top - 0.5
    bare_legs = not warm and rng.random() < 0.35
    shins = skin - 1.5 if bare_legs else legs - rng.uniform(0.2, 1.2)
    shoes = mix(air, skin, rng.uniform(0.05, 0.25))
    hands = skin - rng.uniform(0.0, 2.0) - 0.25 * chill * rng.random()
    if warm and rng.random() < 0.3:
        hands = mix(air, skin, 0.3)
    hair = mix(air, skin, rng.uniform(0.35, 0.7))
    return _Outfit(bool(warm), skin, top, legs, sleeves, shins, shoes, hands, hair)


def _stand(rng: np.random.Generator, pose: str, s: float, girth: float) -> _Build:
    """Hip, shoulder and gait of a pose."""
    lean = {"stand": 0.01, "walk": 0.05, "run": 0.16}.get(pose, 0.0) + rng.normal(0, 0.015)
    hip_u, hip_v = 0.0, 0.525 * s
    if pose == "ride":
        hip_v, hip_u, lean = 0.96, -0.22, rng.uniform(0.25, 0.65)
    torso = 0.29 * s
    shoulder = (hip_u + torso * np.sin(lean), hip_v + torso * np.cos(lean))
    phase = rng.uniform(0, 2 * np.pi)
    swing = {"stand": 0.06, "walk": 0.44, "run": 0.72}.get(pose, 0.0) * rng.uniform(0.75, 1.15)
    return _Build(pose, s, girth, lean, (hip_u, hip_v), shoulder, phase, swing)


def _beat(build: _Build, side: float) -> float:
    """Phase of the limbs of one side, radians."""
    return build.phase + (np.pi if side > 0 else 0.0)


def _joint(hip: Floats, foot: Floats, thigh: float, shank: float, bend: float) -> Floats:
    """Joint of a two-link limb in the (u, v) plane; `bend` +1 puts it forward."""
    delta = foot - hip
    reach = min(float(np.hypot(*delta)), 0.999 * (thigh + shank))
    along = (thigh**2 - shank**2 + reach**2) / (2 * reach)
    off = np.sqrt(max(thigh**2 - along**2, 0.0))
    unit = delta / max(float(np.hypot(*delta)), 1e-9)
    normal = np.array([-unit[1], unit[0]]) * bend
    return np.asarray(hip + along * unit + off * normal)


def _leg(
    body: Body, rng: np.random.Generator, build: _Build, outfit: _Outfit, side: float, *, coat: bool
) -> None:
    """Thigh, shank and shoe of one side, and that side of the coat."""
    s, girth, beat = build.stature, build.girth, _beat(build, side)
    thigh, shank = 0.245 * s, 0.246 * s
    hip = np.array(build.hip)
    w_hip = side * 0.052 * s * girth
    if build.pose == "ride":
        # ankle over the pedal: crank of 0.17 m around the bottom bracket
        ankle = np.array([0.02 + 0.17 * np.cos(beat), 0.29 + 0.17 * np.sin(beat) + 0.08])
        knee = _joint(hip, ankle, thigh, shank, 1.0)
        w_foot = side * 0.11
    else:
        angle = build.swing * np.sin(beat)
        bent = build.swing * 1.5 * max(0.0, float(np.cos(beat))) + 0.05
        knee = hip + thigh * np.array([np.sin(angle), -np.cos(angle)])
        ankle = knee + shank * np.array([np.sin(angle - bent), -np.cos(angle - bent)])
        w_foot = w_hip * rng.uniform(0.7, 1.6 if build.pose == "stand" else 1.1)
    hip3, knee3 = (hip[0], hip[1], w_hip), (knee[0], knee[1], (w_hip + w_foot) / 2)
    ankle3 = (ankle[0], max(ankle[1], 0.05), w_foot)
    body.capsule(hip3, knee3, 0.057 * s * girth, outfit.legs, 0.041 * s * girth)
    body.capsule(knee3, ankle3, 0.038 * s * girth, outfit.shins, 0.025 * s)
    toe = (ankle3[0] + 0.105 * s, max(ankle3[1] - 0.035, 0.03), w_foot * 1.2)
    heel = (ankle3[0] - 0.02, ankle3[1] - 0.015, w_foot)
    body.capsule(heel, toe, 0.026 * s, outfit.shoes, 0.018 * s)
    if coat:
        hem = (knee3[0] * 0.6, build.hip[1] - thigh * 0.85, knee3[2] * 1.3)
        body.capsule(hip3, hem, 0.07 * s * girth, outfit.top - 0.6, 0.075 * s * girth)


def _half_torso(body: Body, build: _Build, outfit: _Outfit, side: float) -> None:
    """A tapered column under one shoulder."""
    s, girth = build.stature, build.girth
    w_sh, w_hip = side * 0.098 * s * girth, side * 0.052 * s * girth
    upper = (build.shoulder[0], build.shoulder[1] - 0.01, w_sh * 0.72)
    lower = (build.hip[0], build.hip[1], w_hip * 0.85)
    body.capsule(upper, lower, 0.052 * s * girth, outfit.top, 0.060 * s * girth)


def _arm(body: Body, rng: np.random.Generator, build: _Build, outfit: _Outfit, side: float) -> None:
    """Upper arm, forearm and hand of one side."""
    s, girth, pose = build.stature, build.girth, build.pose
    w_sh = side * 0.098 * s * girth
    shoulder = np.array(build.shoulder)
    if pose == "ride":
        hand = np.array([0.42, 1.02])
        elbow = _joint(shoulder, hand, 0.18 * s, 0.17 * s, -1.0)
        w_hand = side * 0.22
    else:
        style = rng.random()
        angle = -0.8 * build.swing * np.sin(_beat(build, side)) + rng.normal(0, 0.05)
        flex = rng.uniform(0.1, 0.35) if pose != "run" else rng.uniform(1.2, 1.7)
        if pose == "stand" and style < 0.3:
            angle, flex = 0.25, rng.uniform(1.3, 2.1)  # phone, crossed arms, bag
        elbow = shoulder + 0.186 * s * np.array([np.sin(angle), -np.cos(angle)])
        hand = elbow + 0.165 * s * np.array([np.sin(angle + flex), -np.cos(angle + flex)])
        w_hand = w_sh * rng.uniform(1.1, 1.5) * (0.5 if flex > 1.25 else 1.0)
    elbow3 = (elbow[0], elbow[1], (w_sh * 1.25 + w_hand) / 2 if pose == "ride" else w_sh * 1.35)
    hand3 = (hand[0], hand[1], w_hand)
    top3 = (*build.shoulder, w_sh)
    body.capsule(top3, elbow3, 0.033 * s * girth, outfit.top - 0.3, 0.026 * s * girth)
    body.capsule(elbow3, hand3, 0.025 * s * girth, outfit.sleeves, 0.018 * s)
    body.capsule(hand3, hand3, 0.024 * s, outfit.hands)


def _spine_and_head(
    body: Body, rng: np.random.Generator, build: _Build, outfit: _Outfit, air: float
) -> None:
    """Middle of the torso, neck, face, and hair or a hat."""
    s, girth = build.stature, build.girth
    shoulder_u, shoulder_v = build.shoulder
    chest = (shoulder_u, shoulder_v - 0.06 * s, 0.0)
    body.capsule(chest, (*build.hip, 0.0), 0.066 * s * girth, outfit.top + 0.4)
    neck_u = shoulder_u + 0.05 * s * np.sin(build.lean)
    neck_v = shoulder_v + 0.035 * s
    body.capsule((shoulder_u, shoulder_v, 0.0), (neck_u, neck_v, 0.0), 0.033 * s, outfit.skin - 0.3)
    head_u = neck_u + 0.045 * s * np.sin(build.lean) + 0.012 * s
    head_v = shoulder_v + 0.118 * s
    nod = rng.normal(0, 0.012)
    chin = (head_u + 0.022 * s, head_v - 0.033 * s, nod)
    body.capsule(
        chin, (head_u + 0.018 * s, head_v + 0.012 * s, nod), 0.040 * s, outfit.skin, 0.046 * s
    )
    hat = outfit.warm and rng.random() < 0.45
    cover = mix(air, outfit.skin, 0.22) if hat else outfit.hair
    nape = (head_u - 0.016 * s, head_v - 0.008 * s, nod)
    body.capsule(nape, (head_u - 0.006 * s, head_v + 0.020 * s, nod), 0.050 * s, cover, 0.047 * s)


def _backpack(body: Body, build: _Build, value: float) -> None:
    """A backpack of one temperature, kelvin."""
    s, back = build.stature, build.shoulder[0] - 0.115 * build.stature
    upper, lower = build.shoulder[1] - 0.05 * s, build.hip[1] + 0.05 * s
    body.capsule((back, upper, 0.0), (back, lower, 0.0), 0.075 * s, value)
