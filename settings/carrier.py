"""Settings of carriers."""

from settings.image import own_image
from settings.values import Image, Model


class Carrier(Model):
    """What brings files into volumes, and never starts."""

    image: Image = own_image("carrier", "Any small image that names no user: Docker would give the files to that one.")
