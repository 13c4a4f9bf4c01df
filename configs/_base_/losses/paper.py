# The paper's formulas to the letter, beside the dense term, which keeps its mean from giving up the positives
# (docs/method.md). For loss_composite of any head.
paper = dict(
    mean='paper',
    f1_form='soft',
    f1_share=0.5,
    f1_negatives='paper',
    f1_normalize='count',
    eps=1e-12,  # below 1 / (N_pos N_hn), what the F terms come to: where their product is less there is no gradient
    box_form='paper',
    delta=1.0,
    w_dense=1.0,
    w_cls=1.0,
    warmup_iters=200,
    ramp_iters=200)
