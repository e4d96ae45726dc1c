FROM condaforge/miniforge3:latest
LABEL io.github.snakemake.containerized="true"
LABEL io.github.snakemake.conda_env_hash="8ca34e08eb66061e91457c0351588850c8c2747045abfd2fb78a2861a4afc5c7"
# Conda environment:
#   source: envs/model.yaml
#   prefix: /conda-envs/016b8c977821317ef6db7211b9d1973e
#   # The model to take home: networks, and the forms that others load.
#   channels:
#     - conda-forge
#   dependencies:
#     - python >=3.11.4
#     - pytorch =2.15
#     - torchvision =0.29
#     - timm =1.0
#     - safetensors =0.8
#     - onnx =1.23
#     - onnxscript =0.7
#     - onnxruntime =1.32
#     - matplotlib-base =3.11
#     - numpy >=2.4,<2.6
#     - pandas =3.1
#     - pyarrow =26.0
#     - pillow =13.0
#     - pyyaml =6.0
#     - scipy >=1.17,<1.19
#     - tqdm =4.70
RUN mkdir -p /conda-envs/016b8c977821317ef6db7211b9d1973e
COPY envs/model.yaml /conda-envs/016b8c977821317ef6db7211b9d1973e/environment.yaml
# Conda environment:
#   source: envs/report.yaml
#   prefix: /conda-envs/9a479edbfcac63a656f36afe479ce63b
#   # Tables, figures and the interactive page.
#   channels:
#     - conda-forge
#   dependencies:
#     - python >=3.11.4
#     - altair =6.3
#     - matplotlib-base =3.11
#     - numpy >=2.4,<2.6
#     - pandas =3.1
#     - pillow =13.0
#     - pyarrow =26.0
#     - scipy >=1.17,<1.19
#     - tqdm =4.70
#     - vl-convert-python =1.9
RUN mkdir -p /conda-envs/9a479edbfcac63a656f36afe479ce63b
COPY envs/report.yaml /conda-envs/9a479edbfcac63a656f36afe479ce63b/environment.yaml
# Conda environment:
#   source: envs/text.yaml
#   prefix: /conda-envs/f3ccd6b289799792a79cfc138f8e9f1b
#   # WordNet and word vectors.
#   channels:
#     - conda-forge
#   dependencies:
#     - python >=3.11.4
#     - nltk =3.10
#     - gensim =4.4
#     - numpy >=2.4,<2.6
#     - pandas =3.1
#     - pyarrow =26.0
#     - safetensors =0.8
#     - tqdm =4.70
#     - requests =2.34
#     - urllib3 =2.8
RUN mkdir -p /conda-envs/f3ccd6b289799792a79cfc138f8e9f1b
COPY envs/text.yaml /conda-envs/f3ccd6b289799792a79cfc138f8e9f1b/environment.yaml
# Conda environment:
#   source: envs/vision.yaml
#   prefix: /conda-envs/62ba7ea0b2e681bcf6fce40fb3a9883c
#   # Networks, images and arrays.
#   channels:
#     - conda-forge
#   dependencies:
#     - python >=3.11.4
#     - pytorch =2.15
#     - torchvision =0.29
#     - timm =1.0
#     - safetensors =0.8
#     - numpy >=2.4,<2.6
#     - pandas =3.1
#     - pyarrow =26.0
#     - pillow =13.0
#     - imagehash =4.3
#     - pyyaml =6.0
#     - tqdm =4.70
#     - requests =2.34
#     - urllib3 =2.8
#     - scipy >=1.17,<1.19
RUN mkdir -p /conda-envs/62ba7ea0b2e681bcf6fce40fb3a9883c
COPY envs/vision.yaml /conda-envs/62ba7ea0b2e681bcf6fce40fb3a9883c/environment.yaml

RUN conda env create --prefix /conda-envs/016b8c977821317ef6db7211b9d1973e --file /conda-envs/016b8c977821317ef6db7211b9d1973e/environment.yaml && \
    conda env create --prefix /conda-envs/9a479edbfcac63a656f36afe479ce63b --file /conda-envs/9a479edbfcac63a656f36afe479ce63b/environment.yaml && \
    conda env create --prefix /conda-envs/f3ccd6b289799792a79cfc138f8e9f1b --file /conda-envs/f3ccd6b289799792a79cfc138f8e9f1b/environment.yaml && \
    conda env create --prefix /conda-envs/62ba7ea0b2e681bcf6fce40fb3a9883c --file /conda-envs/62ba7ea0b2e681bcf6fce40fb3a9883c/environment.yaml && \
    conda clean --all -y
