# The dashboard on port 8501: docker build -t a3d . && docker run -p 127.0.0.1:8501:8501 a3d
FROM python:3.11-slim
WORKDIR /a3d
COPY pyproject.toml README.md LICENSE ./
COPY a3d a3d
# Without CUDA: a tenth of the size.
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -e .
COPY .streamlit .streamlit
COPY app app
COPY checkpoints checkpoints
RUN useradd --create-home visitor
USER visitor
EXPOSE 8501
HEALTHCHECK CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=3)"
# Outside of the container, `docker run -p` decides who reaches it.
CMD ["a3d", "app", "--port", "8501", "--address", "0.0.0.0"]
