# The same with a fifth level of stride 64, for larger images: anchors from 12 to 288 pixels.
_base_ = './faster_rcnn_r18.py'
model = dict(neck=dict(num_outs=5), rpn_head=dict(anchor_generator=dict(strides=[4, 8, 16, 32, 64])))
