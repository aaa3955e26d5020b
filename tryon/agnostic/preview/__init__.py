"""Images of masks: contact sheets, histograms and the selection of people to render."""
