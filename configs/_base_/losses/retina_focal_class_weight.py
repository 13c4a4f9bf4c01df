# Focal loss with class weights: CompositeLoss with its dense term only. The weights are those of hituav160, mean
# count / count, for 4,626 persons, 2,362 vehicles and 1,629 bicycles.
_base_ = './retina_composite.py'
loss_delta = dict(bbox_head=dict(loss_composite=dict(w_cls=0.0, dense_class_weight=[0.62, 1.22, 1.76])))
