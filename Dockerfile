# docker build -t fgsn-mmseg .
# docker run --gpus all --shm-size 8g -v "$PWD/data:/fgsn-mmseg/data" -it fgsn-mmseg
#
# torch's wheels from the package index bring CUDA along; the host needs an
# NVIDIA driver and the NVIDIA container toolkit.
FROM python:3.11-slim

ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    PIP_NO_CACHE_DIR=1

# libgl1 and libglib2.0-0 are what opencv-python loads.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        git libgl1 libglib2.0-0 make \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /fgsn-mmseg
COPY . .
RUN make setup

ENV PATH=/fgsn-mmseg/.venv/bin:$PATH
CMD ["bash"]
