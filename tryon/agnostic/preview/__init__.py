"""Preview images of masks: contact sheets, histograms and the selection of people."""
