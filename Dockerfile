# The planner page in a container: docker build -t jevons . && docker run --rm --init -p 127.0.0.1:8765:8765 jevons
# It prints an address with a token. Give a token of your own with:
#   docker run … jevons jevons web --host 0.0.0.0 --port 8765 --no-open --token TEXT
# Without `127.0.0.1:` in front of the port other machines reach it too; traffic is not encrypted.
FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1
WORKDIR /app
COPY pyproject.toml README.md requirements.lock ./
COPY src src
COPY scenarios scenarios
RUN pip install --no-cache-dir -c requirements.lock '.[web]' && useradd --create-home jevons
USER jevons
# Compiles what the first answer needs, into the user's cache.
RUN jevons simulate --model llama-3.1-8b --rate 2 --requests 200 > /dev/null
EXPOSE 8765
# Any answer below 500 is a sign of life: without the token it is 401.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8765, timeout=8); c.request('GET', '/'); raise SystemExit(c.getresponse().status >= 500)"]
CMD ["jevons", "web", "--host", "0.0.0.0", "--port", "8765", "--no-open"]
