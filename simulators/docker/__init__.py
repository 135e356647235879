"""The Docker Engine's API: https://docs.docker.com/reference/api/engine/version/v1.47/"""
