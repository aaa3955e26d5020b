"""The finetune stage: train on all three categories together."""
