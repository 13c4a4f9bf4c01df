"""Metadata and requirements of mmthermal; tool settings are in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
VERSION_FILE = (ROOT / "mmthermal" / "version.py").read_text(encoding="utf-8")
VERSION = VERSION_FILE.split('__version__ = "')[1].split('"')[0]
README = ROOT / "README.md"


class BuildWithConfigs(build_py):
    """Puts configs and tools into the wheel, in the folder .mim, as mmdet does."""

    def run(self) -> None:
        """Build; an editable installation uses those of the clone."""
        super().run()
        if self.editable_mode:
            return
        for name in ("configs", "tools"):
            target = Path(self.build_lib) / "mmthermal" / ".mim" / name
            shutil.rmtree(target, ignore_errors=True)  # of an earlier build
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))


setup(
    name="mmthermal",
    version=VERSION,
    description="Overlapping objects in low-resolution thermal images, for MMDetection",
    long_description=README.read_text(encoding="utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["mmthermal", "mmthermal.*"]),
    cmdclass={"build_py": BuildWithConfigs},
    package_data={
        "mmthermal.checking": ["templates/*.j2"],
        "mmthermal.mining": ["templates/*.j2"],
        "mmthermal.studies": ["templates/*.j2"],
    },
    python_requires=">=3.10",
    # mmcv is an extra: mmcv and mmcv-lite own the same folder, and one of them may be there.
    install_requires=[
        # mmdet 3.x changed its registries and heads between minor versions; 3.3 is its last.
        "mmdet>=3.3,<3.4",
        # mmengine 0.10 is its last release series; the safe resume is written against it.
        "mmengine>=0.10,<0.11",
        # torch.autocast(device_type=...) and functional collectives with autograd.
        "torch>=2.0",
        # setuptools 81 dropped pkg_resources, which mmcv imports while it compiles and mmengine
        # when a config says _base_ = 'mmdet::...'. torch upgrades setuptools past 81.
        "setuptools<81",
        "numpy",
        "scipy",
        "opencv-python",
        # 2.0.6 and older were compiled for numpy 1 and fail to import with numpy 2.
        "pycocotools>=2.0.8",
        # Locks that the system frees when a process ends, on every system; torch brings it, too.
        "filelock>=3.12",
        # The page of a comparison and the curves of a run.
        "jinja2>=3.1",
        "matplotlib",
        # Progress of a prediction; mmengine brings it, too.
        "rich",
        # Pages and orientation of an image file, which OpenCV does not say.
        "pillow",
        # The YAML file of a YOLO data set.
        "pyyaml",
    ],
    extras_require={
        # mmcv without operators, which mmthermal/ops supplies; mmdet 3.3.0 asserts mmcv < 2.2.0.
        "lite": ["mmcv-lite>=2.0.0rc4,<2.2"],
        # It compiles against the torch that is installed, so it must be installed after torch and
        # with --no-build-isolation: tools/setup_env.py does both (OPS=compiled).
        "full": ["mmcv>=2.0.0rc4,<2.2"],
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.6",  # a process a core
            "hypothesis>=6",
            "scikit-learn",  # an independent F-beta
            "faster-coco-eval",  # an independent COCO evaluation
            "build",  # the wheel
            "twine>=6.1",  # its check; older ones do not know the newest metadata
            "tensorboard",  # the line of the README that turns it on
            "hotcoco",  # TIDE's error types, which a report shows
            "flyr>=5",  # radiometric JPEG
            "tifffile",  # files with orientations and pages that cv2 doesn't write
            # New ruff and mypy releases bring new findings: a check must not change by itself.
            "ruff>=0.12,<0.18",
            "mypy>=1.15,<2.5",
        ],
        "report": ["hotcoco"],  # TIDE's error types in a report
        "tensorboard": ["tensorboard"],
        "radiometric": ["flyr>=5"],  # temperatures in JPEG files; its licence is the EUPL
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
