"""The pretrain stage: import, train or initialize the weights that finetune starts from."""
