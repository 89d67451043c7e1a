# The planner page in a container: docker build -t jevons . && docker run --rm -p 8765:8765 jevons
# It prints an address with a token; open it with the host's name.
FROM python:3.12-slim
WORKDIR /app
COPY pyproject.toml README.md requirements.lock ./
COPY src src
COPY scenarios scenarios
RUN pip install --no-cache-dir -c requirements.lock '.[web]' && useradd --create-home jevons
USER jevons
RUN jevons simulate --model llama-3.1-8b --rate 2 --requests 200 > /dev/null
EXPOSE 8765
CMD ["jevons", "web", "--host", "0.0.0.0", "--port", "8765", "--no-open"]
