"""The Cloudflare API: https://developers.cloudflare.com/api."""
