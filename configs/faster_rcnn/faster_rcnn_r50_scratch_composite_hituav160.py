# faster_rcnn_r50_composite_hituav160.py from scratch: no weights needed. For a GPU.
_base_ = ['./faster_rcnn_r50_composite_hituav160.py', '../_base_/models/r50_scratch.py']
model = _base_.pop('model_delta')
