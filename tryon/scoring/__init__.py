"""Score folders of result images by the protocol of this project and published ones."""
