"""Tables, values and plots of the results pages, made from runs.jsonl by tools/make_results.py.

A row names a variant of the study (`name`); what `where` and the row say besides chooses among its
runs. mmthermal/studies/result_tables.py explains the kinds.
"""

results = "benchmarks/results/runs.jsonl"
pages = [
    "README.md",
    "docs/results.md",
    "docs/lab_notebook.md",
    "docs/augmentations.md",
    "docs/gain_control.md",
    "docs/split.md",
]

ap = ["AP", "AP50", "overlapped_AP50", "isolated_AP50"]
ap50 = ["AP50", "overlapped_AP50", "isolated_AP50"]
f1 = ["best_f1", "best_f1_thr", "f1_at_0.5", "overlapped_best_f1"]
ap_and_f1 = ["AP", "AP50", "overlapped_AP50", "isolated_AP50", "best_f1", "f1_at_0.5"]
short = dict(schedule="6e")
long = dict(schedule="24e", study="hituav160_24e")
prototype = dict(schedule="24e", study="hituav160")  # before the recipe was a config
float32 = dict(precision="float32")
bfloat16 = dict(precision="bfloat16")

# Rows that several tables have.
focal = dict(name="focal", schedule="6e")
ranking = dict(name="ranking", schedule="6e", label="dense + ranking")
composite = dict(name="composite", schedule="6e", label="composite (the default)", optional=True)
sampled = dict(name="sampled_dense", schedule="6e", optional=True)
class_weight = dict(name="focal_class_weight", schedule="6e", label="focal, class weights")
focal_24e = dict(name="focal", **long)
composite_24e = dict(name="composite", **long)
class_weight_24e = dict(name="focal_class_weight", **long)
later = dict(long, seeds=[2, 3, 4])  # those after the two that the recipe was chosen on
later_focal = dict(name="focal", **later)
later_composite = dict(name="composite", **later)
both_24e = dict(name="composite_class_weight", label="composite and class weights", **long)
focal_plain = dict(name="focal_plain", **long)
composite_plain = dict(name="composite_plain", **long)
ce = dict(name="faster_rcnn_ce", label="cross-entropy")
ce_64 = dict(name="faster_rcnn_ce_64", label="cross-entropy")
ohem = dict(name="faster_rcnn_ohem", label="OHEM, 64 RoIs")
rcnn = dict(name="faster_rcnn_composite", label="composite (`f1_form='soft'`, `w_cls=.25`)")
ranked_64 = dict(name="faster_rcnn_ranked_64", label="cross-entropy and ranking 0.3")
embedded_focal = dict(name="embedded_focal", label="focal", precision="float32")
embedded_class_weight = dict(
    name="embedded_focal_class_weight", label="focal, class weights", precision="float32"
)
embedded_ranking = dict(name="embedded_ranking", label="dense + ranking", precision="float32")
embedded_composite = dict(
    name="embedded_composite", label="composite (the default)", precision="float32"
)
less_overlap = dict(
    name="embedded_less_overlap", label="composite, less overlap in training", precision="float32"
)
frame = dict(name="gain_frame", label="`NormalizeFrame`")
leak_block = dict(name="leak_block", label="its flights unseen")
leak_frame = dict(name="leak_frame", label="frames of its flights among them")
flip = dict(name="augment_flip", label="flips and contrast")
copies = dict(name="augment_copy_paste", label="+ overlap copy-paste in the first 4 epochs")
jitter = dict(name="augment_jitter", label="+ jitter of scale and place")
both = dict(name="augment_copy_paste_jitter", label="+ both")
dealt = {  # val sets of the windows dealt anew: a row of each loss
    part: {
        loss: dict(name=f"{loss}_{part}", label=f"{part}, {loss}")
        for loss in ("focal", "composite")
    }
    for part in ("val1", "val2", "val3")
}
dealt_focal = dict(names=[f"focal_{part}" for part in dealt])
dealt_composite = dict(names=[f"composite_{part}" for part in dealt])
paper = dict(name="composite_paper", schedule="6e", label="composite, the paper's formulas")
paper_24e = {**paper, **long}
paper_l1_24e = dict(name="composite_paper_l1", label="the same, the default's box term", **long)
paper_floor = dict(name="composite_paper_eps", label="the paper's formulas, eps 1e-6")
cascade_ce = dict(name="cascade_rcnn_ce", label="Cascade R-CNN, cross-entropy")
cascade = dict(name="cascade_rcnn_composite", label="Cascade R-CNN, composite")
ranked_rpn = dict(name="faster_rcnn_rpn_ranked", label="composite, and ranking in the RPN")
control = [0, 1, 2, 3, 5, 6, 7, 8]
screened = [
    dict(name="focal", seeds=[0, 1], label="focal (the baseline)"),
    dict(name="gfl", label="generalized focal (ATSS, quality focal, distribution focal)"),
    dict(name="free_anchor", label="FreeAnchor (mmdet's `FreeAnchorRetinaHead`)"),
    dict(name="focal_giou", label="focal, GIoU loss at weight 2 in place of L1"),
    dict(name="focal_judged_anchors", label="focal, anchors judged by their own box"),
    dict(
        name="focal_judged_anchors_and_positives", label="focal, positives judged by their box, too"
    ),
    dict(name="focal_class_cross_entropy", label="focal + cross-entropy between classes"),
]

tables = {
    # docs/results.md
    "main": dict(
        kind="means",
        columns=ap,
        baseline=focal,
        against="AP50",
        rows=[
            focal,
            class_weight,
            ranking,
            composite,
            paper,
        ],
    ),
    "main_24e": dict(
        kind="means",
        where=long,
        columns=ap_and_f1,
        baseline=dict(name="focal"),
        against="AP50",
        rows=[
            dict(name="focal", label="focal"),
            dict(name="focal_class_weight", label="focal, class weights"),
            dict(name="composite", label="composite (the default)"),
            paper_24e,
            dict(name="focal_plain", label="focal, learning rate 2e-3"),
            dict(name="composite_plain", label="composite, learning rate 2e-3"),
        ],
    ),
    "main_24e_differences": dict(
        kind="differences",
        columns=[*ap, "best_f1", "f1_at_0.5", "overlapped_best_f1"],
        rows=[
            dict(label="composite − focal", candidate=composite_24e, baseline=focal_24e),
            dict(
                label="composite − class weights",
                candidate=composite_24e,
                baseline=class_weight_24e,
            ),
            dict(label="class weights − focal", candidate=class_weight_24e, baseline=focal_24e),
            dict(label="the paper's formulas − focal", candidate=paper_24e, baseline=focal_24e),
            dict(
                label="composite − the paper's formulas",
                candidate=composite_24e,
                baseline=paper_24e,
            ),
            dict(
                label="composite − focal at learning rate 2e-3",
                candidate=composite_24e,
                baseline=focal_plain,
            ),
        ],
    ),
    "main_24e_by_seed": dict(
        kind="runs",
        where=long,
        columns=ap,
        by_seed=True,
        rows=[
            dict(name="focal"),
            dict(name="focal_class_weight", label="focal, class weights"),
            dict(name="composite"),
            paper_24e,
        ],
    ),
    "paper_box": dict(
        kind="runs",
        where=long,
        columns=ap,
        by_seed=True,
        rows=[dict(paper_24e, seeds=[0, 1], label="the paper's formulas"), paper_l1_24e],
    ),
    "paper_box_differences": dict(
        kind="differences",
        columns=ap,
        rows=[
            dict(
                label="the default's box term − the paper's, with the paper's classification",
                candidate=paper_l1_24e,
                baseline=paper_24e,
            ),
            dict(
                label="the paper's classification, the default's box term − focal",
                candidate=paper_l1_24e,
                baseline=focal_24e,
            ),
            dict(
                label="composite − the paper's classification, the same box term",
                candidate=composite_24e,
                baseline=paper_l1_24e,
            ),
        ],
    ),
    "plain": dict(
        kind="runs",
        where=long,
        columns=ap,
        by_seed=True,
        rows=[
            dict(name="focal_plain", label="focal"),
            dict(name="composite_plain", label="composite"),
        ],
    ),
    "plain_differences": dict(
        kind="differences",
        columns=ap,
        rows=[dict(label="composite − focal", candidate=composite_plain, baseline=focal_plain)],
    ),
    "redealt": dict(
        kind="means",
        head="val set, loss",
        columns=ap,
        rows=[row for losses in dealt.values() for row in losses.values()],
    ),
    "redealt_differences": dict(
        kind="differences",
        columns=ap,
        rows=[
            dict(
                label=f"composite − focal, {part}",
                candidate=losses["composite"],
                baseline=losses["focal"],
            )
            for part, losses in dealt.items()
        ]
        + [dict(label="the three together", candidate=dealt_composite, baseline=dealt_focal)],
    ),
    "two_stages": dict(
        kind="means",
        columns=ap,
        baseline=ce,
        against="AP50",
        rows=[ce, ohem, rcnn, ranked_rpn, cascade_ce, cascade],
    ),
    "two_stages_difference": dict(
        kind="differences",
        columns=[*ap, "best_f1", "overlapped_best_f1"],
        rows=[
            dict(label="composite − cross-entropy", candidate=rcnn, baseline=ce),
            dict(
                label="composite with ranking in the RPN − cross-entropy",
                candidate=ranked_rpn,
                baseline=ce,
            ),
            dict(
                label="Cascade R-CNN, composite − cross-entropy",
                candidate=cascade,
                baseline=cascade_ce,
            ),
        ],
    ),
    "embedded": dict(
        kind="means",
        columns=ap,
        baseline=embedded_focal,
        against="AP50",
        rows=[embedded_focal, embedded_class_weight, embedded_ranking, embedded_composite],
    ),
    "embedded_differences": dict(
        kind="differences",
        columns=ap,
        rows=[
            dict(
                label="(dense + ranking) − focal",
                candidate=embedded_ranking,
                baseline=embedded_focal,
            ),
            dict(
                label="composite − focal",
                candidate=embedded_composite,
                baseline=embedded_focal,
            ),
        ],
    ),
    # docs/augmentations.md
    "augmentations": dict(
        kind="means",
        head="augmentation",
        columns=ap,
        baseline=flip,
        against="AP50",
        rows=[flip, copies, jitter, both],
    ),
    "augmentations_differences": dict(
        kind="differences",
        columns=["AP50", "overlapped_AP50"],
        rows=[
            dict(label="with − without copy-paste", candidate=copies, baseline=flip),
            dict(label="with − without jitter", candidate=jitter, baseline=flip),
            dict(
                label="with − without copy-paste, both with jitter", candidate=both, baseline=jitter
            ),
        ],
    ),
    # docs/gain_control.md
    "gain_control": dict(
        kind="means",
        head="gain control",
        columns=ap,
        baseline=frame,
        against="AP50",
        rows=[
            frame,
            dict(name="gain_stretch", label="stretch"),
            dict(name="gain_plateau", label="plateau"),
            dict(name="gain_clahe", label="CLAHE"),
            dict(name="gain_detail", label="detail"),
            dict(name="gain_stacked", label="stretch, CLAHE and raw as channels"),
            dict(name="gain_window", label="window, −15 to 45 °C"),
            dict(name="gain_raw", label="raw counts, one mean and deviation for all frames"),
        ],
    ),
    # docs/split.md
    "split_leak": dict(
        kind="means",
        head="trained on 2,291 windows",
        columns=ap,
        rows=[leak_block, leak_frame],
    ),
    "split_leak_difference": dict(
        kind="differences",
        columns=ap,
        rows=[dict(label="leak − none", candidate=leak_frame, baseline=leak_block)],
    ),
    # docs/lab_notebook.md
    "testbed": dict(
        kind="means",
        head="change",
        where=short,
        columns=ap,
        rows=[
            dict(
                name="focal_mmdet_stem_own_frame",
                label="R-18 at half width, mmdet's stem, each frame normalised by itself",
            ),
            dict(name="focal_own_frame", label="first stage at stride 2 (`SmallImageResNet`)"),
            dict(
                name="focal",
                seeds=[0, 1],
                label="the same, one mean and deviation for all frames",
            ),
        ],
    ),
    "focal_tuned": dict(
        kind="runs",
        head="setting",
        where=short,
        columns=ap_and_f1,
        by_seed=True,
        rows=[
            dict(name="focal", seeds=[0, 5, 8], label="the recipe"),
            dict(name="focal_lr_1e-3", label="learning rate 1e-3"),
            dict(name="focal_lr_4e-3", label="learning rate 4e-3"),
            dict(name="focal_box_1", label="box weight 1"),
            dict(name="focal_box_4", label="box weight 4"),
            dict(name="focal_alpha_0.5", label="α .5"),
            dict(name="focal_gamma_1.5", label="γ 1.5"),
        ],
    ),
    "ranking_by_seed": dict(
        kind="runs",
        where=short,
        columns=ap,
        by_seed=True,
        rows=[dict(name="focal"), dict(name="ranking", label="dense + ranking")],
    ),
    "ranking_differences": dict(
        kind="differences",
        columns=ap,
        rows=[
            dict(label="all seeds", candidate=ranking, baseline=focal),
            dict(
                label="seeds 5 to 9, trained when all was fixed",
                candidate=dict(**ranking, seeds=[5, 6, 7, 8, 9]),
                baseline=focal,
            ),
        ],
    ),
    "ranking_weights": dict(
        kind="runs",
        head="ranking loss beside the dense term",
        where=short,
        columns=ap,
        rows=[
            dict(name="ranking_0.1", label="weight 0.1"),
            dict(name="ranking", seeds=[0], label="weight 0.3"),
            dict(name="ranking_1", label="weight 1"),
            dict(name="ranking_half_dense", label="weight 0.3, dense term at half its weight"),
            dict(name="ranking_overlapped_x3", label="overlapped positives weigh three times"),
            dict(name="ranking_hits_first", label="boxes that miss ranked below those that hit"),
        ],
    ),
    "default": dict(
        kind="runs",
        where=short,
        columns=ap,
        by_seed=True,
        rows=[
            ranking,
            composite,
        ],
    ),
    "default_difference": dict(
        kind="differences",
        columns=ap,
        rows=[
            dict(label="composite − (dense + ranking)", candidate=composite, baseline=ranking),
            dict(label="composite − focal", candidate=composite, baseline=focal),
            dict(
                label="composite − focal with class weights",
                candidate=composite,
                baseline=class_weight,
            ),
        ],
    ),
    "sampled_difference": dict(
        kind="differences",
        columns=ap,
        rows=[
            dict(label="`dense_negatives=20` − `'all'`", candidate=sampled, baseline=composite),
        ],
    ),
    "default_before": dict(
        kind="means",
        where=short,
        columns=ap,
        rows=[
            dict(name="ranking", seeds=[0, 1, 2], label="dense + ranking"),
            dict(
                name="combined_and_ranking",
                label="dense + L_combined at weight 1 + ranking 0.3",
            ),
            dict(
                name="ranking_and_small_combined",
                label="dense + L_combined (weight .25, joint F1, share .2) + ranking 0.3",
            ),
        ],
    ),
    "longer": dict(
        kind="runs",
        where=prototype,
        columns=ap,
        rows=[dict(name="focal"), dict(name="ranking", label="dense + ranking")],
    ),
    "class_weights": dict(
        kind="runs",
        where=short,
        columns=[*ap_and_f1, "overlapped_best_f1"],
        by_seed=True,
        rows=[
            dict(name="focal", seeds=control),
            dict(name="focal_class_weight", label="focal, class weights"),
            dict(name="ranking", seeds=control, label="dense + ranking"),
            dict(name="ranking_class_weight", label="dense with class weights + ranking"),
            dict(name="ranking_0.1_class_weight", label="dense with class weights + ranking 0.1"),
        ],
    ),
    "class_weights_differences": dict(
        kind="differences",
        columns=[*ap50, "best_f1"],
        rows=[
            dict(label="class weights − focal", candidate=class_weight, baseline=focal),
            dict(
                label="(dense + ranking) − class weights", candidate=ranking, baseline=class_weight
            ),
        ],
    ),
    "class_weights_embedded": dict(
        kind="runs",
        by_seed=True,
        columns=[*ap, "best_f1"],
        rows=[
            dict(embedded_focal, seeds=[0, 1, 2]),
            embedded_class_weight,
            dict(embedded_ranking, seeds=[0, 1, 2]),
            dict(embedded_composite, seeds=[0, 1, 2]),
            dict(
                name="embedded_ranking_0.1_running_class_weight",
                label="dense with running class weights + ranking 0.1",
            ),
        ],
    ),
    "class_weights_embedded_differences": dict(
        kind="differences",
        columns=[*ap50, "best_f1"],
        rows=[
            dict(
                label="class weights − focal",
                candidate=embedded_class_weight,
                baseline=embedded_focal,
            ),
            dict(
                label="composite − class weights",
                candidate=embedded_composite,
                baseline=embedded_class_weight,
            ),
        ],
    ),
    "class_weights_both": dict(
        kind="runs",
        by_seed=True,
        columns=[*ap_and_f1, "overlapped_best_f1"],
        rows=[
            dict(class_weight_24e, seeds=[0, 3], label="focal, class weights"),
            dict(composite_24e, seeds=[0, 3]),
            both_24e,
        ],
    ),
    "running_class_weights": dict(
        kind="runs",
        where=short,
        columns=[*ap, "best_f1"],
        by_seed=True,
        rows=[
            dict(name="ranking", seeds=[0, 1, 5], label="dense + ranking"),
            dict(
                name="ranking_0.1_running_class_weight",
                label="dense with running class weights + ranking 0.1",
            ),
        ],
    ),
    "paper_eps": dict(
        kind="means",
        columns=ap,
        rows=[
            dict(**focal, seeds=[5, 6, 7]),
            dict(paper, label="the paper's formulas, eps 1e-12"),
            paper_floor,
        ],
    ),
    "parts": dict(
        kind="runs",
        where=dict(schedule="6e", precision="float32", seeds=[5]),
        columns=[*ap_and_f1, "overlapped_best_f1"],
        rows=[
            dict(name="focal"),
            dict(name="ranking", label="dense + ranking"),
            dict(name="combined", label="dense + L_combined (`combined`)"),
            dict(
                name="paper_mean_and_dense",
                label="dense + L_combined, the paper's mean and F1 (`paper_mean_and_dense`)",
            ),
            dict(
                name="without_mining",
                label="dense + L_combined over all negatives (`without_mining`)",
            ),
            dict(name="without_f1", label="dense + L_combined without F1 (`without_f1`)"),
            dict(name="shifted", label="L_combined, no dense term (`shifted`)"),
            dict(
                name="paper_mean", label="the paper's loss: its mean, no dense term (`paper_mean`)"
            ),
            dict(name="simple", label="the paper's simple variant, no dense term (`simple`)"),
            dict(name="ohem", label="OHEM 1:3"),
            dict(name="ghm", label="GHM, mmdet's settings"),
        ],
    ),
    "soft_f1": dict(
        kind="runs",
        where=short,
        columns=ap_and_f1,
        rows=[
            dict(name="focal", seeds=[0, 1, 2, 8]),
            dict(name="combined", seeds=[0, 1], label="dense + L_combined (`combined`)"),
            dict(
                name="f1_joint_share_0.2",
                label="dense + L_combined, joint F1 at a share of .2 (`f1_joint_share_0.2`)",
            ),
            dict(
                name="f1_macro_joint_share_0.2",
                label="dense + L_combined, joint F1 at .2, mean over classes",
            ),
            dict(
                name="f1_sharp_joint_share_0.2",
                label="dense + L_combined, joint F1 at .2 of a sharpened sigmoid, σ(4(s + .4))",
            ),
            dict(name="combined_late", label="dense + L_combined from iteration 600 of 864 on"),
            dict(name="combined_half_dense", label="half the dense term + L_combined"),
        ],
    ),
    "soft_f1_differences": dict(
        kind="differences",
        columns=ap50,
        rows=[
            dict(
                label="joint F1 at .2 − focal",
                candidate=dict(name="f1_joint_share_0.2"),
                baseline=focal,
            )
        ],
    ),
    "mining": dict(
        kind="runs",
        where=short,
        columns=ap,
        by_seed=True,
        rows=[
            dict(name="focal", seeds=[0, 1]),
            dict(name="ranking", seeds=[0, 1], label="dense + ranking, 3 negatives per positive"),
            dict(
                name="ranking_near_negatives",
                label="dense + ranking, negatives that touch an object (IoU > 0)",
            ),
            dict(
                name="ranking_between_negatives",
                label="dense + ranking, negatives between two overlapping objects",
            ),
            dict(
                name="ranking_ratio_10_to_1",
                label="dense + ranking, from 10 to 1 negatives per positive over training",
            ),
            dict(
                name="mined_sum",
                label="mined negatives only: one sum over both, α .5, no dense term",
            ),
            dict(name="mined_sum_and_ranking", label="mined negatives only + ranking 0.3"),
        ],
    ),
    "other_losses": dict(kind="runs", where=short, columns=ap, rows=screened),
    "suppression": dict(
        kind="runs",
        head="suppression",
        where=short,
        columns=ap,
        rows=[
            dict(name="focal", seeds=[0], label="focal, IoU .5"),
            dict(name="focal_nms_0.4", label="focal, IoU .4"),
            dict(name="focal_nms_0.6", label="focal, IoU .6"),
            dict(
                name="focal_nms_across_classes",
                label="focal, of two classes on one spot (IoU ≥ .7) the likelier",
            ),
            dict(name="focal", seeds=[5], label="focal, IoU .5"),
            dict(name="focal_soft_nms_linear", label="focal, linear soft suppression"),
            dict(name="focal_soft_nms_gaussian", label="focal, Gaussian soft suppression"),
            dict(name="ranking", seeds=[5], label="dense + ranking, IoU .5"),
            dict(name="ranking_soft_nms_linear", label="dense + ranking, linear soft"),
            dict(name="ranking_soft_nms_gaussian", label="dense + ranking, Gaussian soft"),
        ],
    ),
    "merged": dict(
        kind="means",
        where=short,
        columns=ap,
        rows=[
            dict(name="ranking", seeds=[0, 1, 2], label="dense + ranking"),
            dict(name="ranking_repulsion", label="dense + ranking, repulsion from other objects"),
            dict(
                name="ranking_without_ambiguous", label="dense + ranking, ambiguous anchors ignored"
            ),
            dict(name="ranking", seeds=[0, 1], label="dense + ranking"),
            dict(name="ranking_copy_paste", label="dense + ranking, overlap copy-paste"),
            dict(name="ranking", seeds=[9], label="dense + ranking"),
            dict(
                name="ranking_without_merged",
                label="dense + ranking, boxes that hold two left out of the ranking",
            ),
        ],
    ),
    "rcnn_by_seed": dict(
        kind="runs",
        columns=[*ap_and_f1, "overlapped_best_f1"],
        by_seed=True,
        rows=[
            ce,
            rcnn,
            ranked_rpn,
            dict(name="faster_rcnn_ranked", label="cross-entropy and ranking 0.3"),
            dict(
                name="faster_rcnn_ranked_hits",
                label="ranking 0.3, only RoIs whose own box hits (IoU ≥ .5)",
            ),
            dict(
                name="faster_rcnn_ranked_best_roi",
                label="ranking 0.3, of an object's RoIs only the best",
            ),
            dict(name="faster_rcnn_ce_box_0.5", label="cross-entropy, box weight .5"),
            dict(name="faster_rcnn_ce_box_4", label="cross-entropy, box weight 4"),
        ],
    ),
    "cascade_by_seed": dict(
        kind="runs",
        columns=[*ap_and_f1, "overlapped_best_f1"],
        by_seed=True,
        rows=[
            dict(cascade_ce, label="cross-entropy"),
            dict(cascade, label="composite"),
        ],
    ),
    "rcnn_64": dict(
        kind="runs",
        head="loss, 64 RoIs",
        columns=[*ap_and_f1, "overlapped_best_f1"],
        rows=[ce_64, ranked_64],
    ),
    "rcnn_64_bfloat16": dict(
        kind="runs",
        head="loss, 64 RoIs",
        where=bfloat16,
        columns=[*ap_and_f1, "overlapped_best_f1"],
        rows=[
            dict(**ce_64, seeds=[0, 1]),
            dict(
                name="faster_rcnn_composite_64",
                label="composite, 1.5 negatives per positive",
            ),
            dict(name="faster_rcnn_ohem", label="mmdet's OHEM"),
            dict(
                name="faster_rcnn_composite_paper",
                label="L_combined at `w_cls=1, f1_share=.5`, `HardNegativeSampler`",
            ),
        ],
    ),
    "rcnn_differences": dict(
        kind="differences",
        columns=[*ap, "overlapped_best_f1"],
        rows=[
            dict(label="256 − 64 RoIs, cross-entropy", candidate=ce, baseline=ce_64),
            dict(label="ranking − cross-entropy, 64 RoIs", candidate=ranked_64, baseline=ce_64),
        ],
    ),
    "operating_point": dict(
        kind="means",
        where=short,
        columns=f1,
        complete=True,
        rows=[
            dict(name="focal", label="RetinaNet, focal"),
            dict(name="focal_class_weight", label="RetinaNet, focal, class weights"),
            dict(name="ranking", label="RetinaNet, dense + ranking"),
            dict(name="composite", label="RetinaNet, composite (the default)", optional=True),
            dict(name="combined", seeds=[0, 1], label="RetinaNet, dense + L_combined, soft F1"),
            dict(name="faster_rcnn_ce", label="Faster R-CNN, cross-entropy"),
            dict(name="faster_rcnn_composite", label="Faster R-CNN, composite"),
            dict(name="faster_rcnn_ce_64", label="64 RoIs, cross-entropy"),
            dict(name="faster_rcnn_ranked_64", label="64 RoIs, ranking"),
            dict(name="faster_rcnn_ohem", label="64 RoIs, OHEM"),
        ],
    ),
    "operating_point_differences": dict(
        kind="differences",
        columns=["best_f1", "f1_at_0.5", "overlapped_best_f1"],
        rows=[dict(label="(dense + ranking) − focal", candidate=ranking, baseline=focal)],
    ),
    "operating_point_by_seed": dict(
        kind="runs",
        where=short,
        columns=f1,
        by_seed=True,
        rows=[
            dict(name="focal", seeds=[2, 3, 5, 6, 7, 8, 9]),
            dict(name="ranking", seeds=[2, 3, 5, 6, 7, 8, 9], label="dense + ranking"),
        ],
    ),
    "less_overlap": dict(
        kind="runs",
        by_seed=True,
        columns=[*ap, "best_f1", "overlapped_best_f1"],
        rows=[dict(embedded_composite, seeds=[0, 1, 2]), less_overlap],
    ),
    "less_overlap_differences": dict(
        kind="differences",
        columns=[*ap, "best_f1", "overlapped_best_f1"],
        rows=[
            dict(
                label="composite − the same with less overlap in training",
                candidate=embedded_composite,
                baseline=less_overlap,
            )
        ],
    ),
    "embedded_by_seed": dict(
        kind="runs",
        columns=ap,
        by_seed=True,
        rows=[
            dict(name="embedded_focal", label="focal", **float32),
            dict(name="embedded_ranking", label="dense + ranking", **float32),
            embedded_composite,
            dict(name="embedded_focal", label="focal", **bfloat16),
            dict(name="embedded_ranking", label="dense + ranking", **bfloat16),
            dict(name="embedded_combined", label="dense + L_combined, soft F1", **bfloat16),
        ],
    ),
}


def difference(candidate: dict, baseline: dict, figure: str, interval: bool = True) -> dict:
    """A paired difference for a sentence."""
    return dict(candidate=candidate, baseline=baseline, figure=figure, interval=interval)


values = {
    "default_AP50": difference(composite, focal, "AP50"),
    "default_overlapped": difference(composite, focal, "overlapped_AP50"),
    "default_isolated": difference(composite, focal, "isolated_AP50"),
    "default_class_weight_AP50": difference(composite, class_weight, "AP50"),
    "default_class_weight_overlapped": difference(composite, class_weight, "overlapped_AP50"),
    "paper_AP50": difference(paper, focal, "AP50"),
    "paper_overlapped": difference(paper, focal, "overlapped_AP50"),
    "default_ranking_AP50": difference(composite, ranking, "AP50"),
    "default_ranking_overlapped": difference(composite, ranking, "overlapped_AP50"),
    "sampled_AP50": difference(sampled, composite, "AP50"),
    "sampled_overlapped": difference(sampled, composite, "overlapped_AP50"),
    "dealt_AP50": difference(dealt_composite, dealt_focal, "AP50"),
    "dealt_overlapped": difference(dealt_composite, dealt_focal, "overlapped_AP50"),
    "leak_AP50": difference(leak_frame, leak_block, "AP50"),
    "copies_AP50": difference(copies, flip, "AP50"),
    "jitter_AP50": difference(jitter, flip, "AP50"),
    "ranking_AP50": difference(ranking, focal, "AP50"),
    "ranking_overlapped": difference(ranking, focal, "overlapped_AP50"),
    "ranking_isolated": difference(ranking, focal, "isolated_AP50"),
    "ranking_best_f1": difference(ranking, focal, "best_f1"),
    "ranking_f1_at_half": difference(ranking, focal, "f1_at_0.5"),
    "ranking_overlapped_best_f1": difference(ranking, focal, "overlapped_best_f1"),
    "class_weight_AP50": difference(class_weight, focal, "AP50"),
    "rcnn_overlapped": difference(rcnn, ce, "overlapped_AP50"),
    "rpn_AP50": difference(ranked_rpn, ce, "AP50"),
    "rpn_overlapped": difference(ranked_rpn, ce, "overlapped_AP50"),
    "cascade_AP": difference(cascade, cascade_ce, "AP"),
    "cascade_AP50": difference(cascade, cascade_ce, "AP50"),
    "cascade_overlapped": difference(cascade, cascade_ce, "overlapped_AP50"),
    "cascade_isolated": difference(cascade, cascade_ce, "isolated_AP50"),
    "class_weight_embedded_AP50": difference(embedded_class_weight, embedded_focal, "AP50"),
    "composite_class_weight_embedded_AP50": difference(
        embedded_composite, embedded_class_weight, "AP50"
    ),
    "composite_class_weight_embedded_overlapped": difference(
        embedded_composite, embedded_class_weight, "overlapped_AP50"
    ),
    "less_overlap_AP50": difference(embedded_composite, less_overlap, "AP50"),
    "less_overlap_overlapped": difference(embedded_composite, less_overlap, "overlapped_AP50"),
    "less_overlap_f1": difference(embedded_composite, less_overlap, "overlapped_best_f1"),
    "less_overlap_isolated": difference(embedded_composite, less_overlap, "isolated_AP50"),
    "embedded_AP50": difference(embedded_composite, embedded_focal, "AP50"),
    "embedded_overlapped": difference(embedded_composite, embedded_focal, "overlapped_AP50"),
    "embedded_isolated": difference(embedded_composite, embedded_focal, "isolated_AP50"),
    "longer_AP50": difference(composite_24e, focal_24e, "AP50"),
    "longer_overlapped": difference(composite_24e, focal_24e, "overlapped_AP50"),
    "longer_isolated": difference(composite_24e, focal_24e, "isolated_AP50"),
    "longer_overlapped_best_f1": difference(composite_24e, focal_24e, "overlapped_best_f1"),
    "later_AP50": difference(later_composite, later_focal, "AP50"),
    "later_overlapped": difference(later_composite, later_focal, "overlapped_AP50"),
    "longer_class_weight_AP50": difference(composite_24e, class_weight_24e, "AP50"),
    "longer_class_weight_overlapped": difference(
        composite_24e, class_weight_24e, "overlapped_AP50"
    ),
    "paper_24e_AP50": difference(paper_24e, focal_24e, "AP50"),
    "paper_24e_overlapped": difference(paper_24e, focal_24e, "overlapped_AP50"),
    "composite_paper_24e_AP50": difference(composite_24e, paper_24e, "AP50"),
    "composite_paper_24e_overlapped": difference(composite_24e, paper_24e, "overlapped_AP50"),
    "paper_l1_AP": difference(paper_l1_24e, paper_24e, "AP"),
    "paper_l1_focal_AP50": difference(paper_l1_24e, focal_24e, "AP50"),
    "paper_l1_focal_overlapped": difference(paper_l1_24e, focal_24e, "overlapped_AP50"),
    "class_weight_24e_AP50": difference(class_weight_24e, focal_24e, "AP50"),
    "class_weight_24e_overlapped": difference(class_weight_24e, focal_24e, "overlapped_AP50"),
    "focal_rate_AP50": difference(focal_plain, focal_24e, "AP50"),
    "better_rate_AP50": difference(composite_24e, focal_plain, "AP50"),
    "better_rate_overlapped": difference(composite_24e, focal_plain, "overlapped_AP50"),
    # An interval over one or two seeds says nothing.
    "plain_AP50": difference(composite_plain, focal_plain, "AP50", interval=False),
    "plain_overlapped": difference(composite_plain, focal_plain, "overlapped_AP50", interval=False),
}

plots = {
    "docs/images/pairs.png": [
        dict(
            title="RetinaNet: composite − focal\nHIT-UAV, 24 epochs",
            candidate=composite_24e,
            baseline=focal_24e,
        ),
        dict(
            title="RetinaNet: composite − focal\nHIT-UAV, 6 epochs",
            candidate=composite,
            baseline=focal,
        ),
        dict(
            title="RetinaNet: composite − focal\nembedded set",
            candidate=embedded_composite,
            baseline=embedded_focal,
        ),
        dict(
            title="Faster R-CNN: composite − cross-entropy\nHIT-UAV",
            candidate=rcnn,
            baseline=ce,
        ),
        dict(
            title="Cascade R-CNN: composite − cross-entropy\nHIT-UAV",
            candidate=cascade,
            baseline=cascade_ce,
        ),
    ]
}
