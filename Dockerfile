FROM condaforge/miniforge3:latest
LABEL io.github.snakemake.containerized="true"
LABEL io.github.snakemake.conda_env_hash="03bd1e8493a79ba47f70441c3d42dc5d7d73f33d19e99b03cf9656ce269dd334"
# Conda environment:
#   source: envs/report.yaml
#   prefix: /conda-envs/1cd8c9d9816497b6dcdb2bc340fdb344
#   # Tables, figures and the interactive page.
#   channels:
#     - conda-forge
#   dependencies:
#     - python >=3.11
#     - altair =6.3
#     - matplotlib-base =3.11
#     - numpy >=2.4,<2.6
#     - pandas =3.1
#     - pillow =13.0
#     - pyarrow =26.0
#     - scipy >=1.17,<1.19
#     - tqdm =4.70
#     - vl-convert-python =1.9
RUN mkdir -p /conda-envs/1cd8c9d9816497b6dcdb2bc340fdb344
COPY envs/report.yaml /conda-envs/1cd8c9d9816497b6dcdb2bc340fdb344/environment.yaml
# Conda environment:
#   source: envs/text.yaml
#   prefix: /conda-envs/cfc3f09b63c30f8eb4932eaae0709226
#   # WordNet and word vectors.
#   channels:
#     - conda-forge
#   dependencies:
#     - python >=3.11
#     - nltk =3.10
#     - gensim =4.4
#     - numpy >=2.4,<2.6
#     - pandas =3.1
#     - pyarrow =26.0
#     - tqdm =4.70
#     - requests =2.34
#     - urllib3 =2.8
RUN mkdir -p /conda-envs/cfc3f09b63c30f8eb4932eaae0709226
COPY envs/text.yaml /conda-envs/cfc3f09b63c30f8eb4932eaae0709226/environment.yaml
# Conda environment:
#   source: envs/vision.yaml
#   prefix: /conda-envs/d8ec6559a597700233fdf3aaa9ea8293
#   # Networks, images and arrays.
#   channels:
#     - conda-forge
#   dependencies:
#     - python >=3.11
#     - pytorch =2.15
#     - torchvision =0.29
#     - timm =1.0
#     - safetensors =0.8
#     - numpy >=2.4,<2.6
#     - pandas =3.1
#     - pyarrow =26.0
#     - pillow =13.0
#     - pyyaml =6.0
#     - tqdm =4.70
#     - requests =2.34
#     - urllib3 =2.8
RUN mkdir -p /conda-envs/d8ec6559a597700233fdf3aaa9ea8293
COPY envs/vision.yaml /conda-envs/d8ec6559a597700233fdf3aaa9ea8293/environment.yaml

RUN conda env create --prefix /conda-envs/1cd8c9d9816497b6dcdb2bc340fdb344 --file /conda-envs/1cd8c9d9816497b6dcdb2bc340fdb344/environment.yaml && \
    conda env create --prefix /conda-envs/cfc3f09b63c30f8eb4932eaae0709226 --file /conda-envs/cfc3f09b63c30f8eb4932eaae0709226/environment.yaml && \
    conda env create --prefix /conda-envs/d8ec6559a597700233fdf3aaa9ea8293 --file /conda-envs/d8ec6559a597700233fdf3aaa9ea8293/environment.yaml && \
    conda clean --all -y
