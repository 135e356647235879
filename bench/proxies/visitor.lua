-- wrk: what cloudflared sends for a visitor with a browser.
wrk.headers["Host"] = "app.example.com"
wrk.headers["CF-Connecting-IP"] = "198.51.100.7"
wrk.headers["CF-Ray"] = "8f2b00000000abcd-FRA"
wrk.headers["X-Forwarded-For"] = "198.51.100.7"
wrk.headers["X-Forwarded-Proto"] = "https"
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
wrk.headers["Accept"] = "application/json"
wrk.headers["Accept-Encoding"] = "gzip"
