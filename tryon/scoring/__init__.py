"""Scoring any folder of result images, ours or another system's, by our protocol and by those of other papers."""
