FROM condaforge/miniforge3:latest
LABEL io.github.snakemake.containerized="true"
LABEL io.github.snakemake.conda_env_hash="0e3a0821a747c965c6932ab9c70b9be095b27ddd8f2c3dbec693a16cc6fb8b6b"
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

RUN conda env create --prefix /conda-envs/9a479edbfcac63a656f36afe479ce63b --file /conda-envs/9a479edbfcac63a656f36afe479ce63b/environment.yaml && \
    conda env create --prefix /conda-envs/f3ccd6b289799792a79cfc138f8e9f1b --file /conda-envs/f3ccd6b289799792a79cfc138f8e9f1b/environment.yaml && \
    conda env create --prefix /conda-envs/62ba7ea0b2e681bcf6fce40fb3a9883c --file /conda-envs/62ba7ea0b2e681bcf6fce40fb3a9883c/environment.yaml && \
    conda clean --all -y
