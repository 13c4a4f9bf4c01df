# The same with a fifth level of stride 64, for larger images: anchors from 12 to 305 pixels.
_base_ = './retina_r18.py'
model = dict(neck=dict(num_outs=5), bbox_head=dict(anchor_generator=dict(strides=[4, 8, 16, 32, 64])))
