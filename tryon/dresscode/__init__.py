"""The Dress Code format on disk: file names, pair lists, label ids, file readers and the pose image."""
