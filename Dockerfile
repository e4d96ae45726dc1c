FROM condaforge/miniforge3:latest
LABEL io.github.snakemake.containerized="true"
LABEL io.github.snakemake.conda_env_hash="e1adbd2fde0d07de75a783977d8ed5436dd612a31b7db5184f7a74b00499127e"
# Conda environment:
#   source: envs/report.yaml
#   prefix: /conda-envs/467c11bbf937ce97f3d3f64548f56ec3
#   # Tables and figures.
#   channels:
#     - conda-forge
#   dependencies:
#     - python >=3.11
#     - matplotlib-base =3.11
#     - numpy >=2.4,<2.6
#     - pandas =3.1
#     - pillow =13.0
#     - pyarrow =26.0
#     - scipy >=1.17,<1.19
#     - tqdm =4.70
RUN mkdir -p /conda-envs/467c11bbf937ce97f3d3f64548f56ec3
COPY envs/report.yaml /conda-envs/467c11bbf937ce97f3d3f64548f56ec3/environment.yaml
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

RUN conda env create --prefix /conda-envs/467c11bbf937ce97f3d3f64548f56ec3 --file /conda-envs/467c11bbf937ce97f3d3f64548f56ec3/environment.yaml && \
    conda env create --prefix /conda-envs/cfc3f09b63c30f8eb4932eaae0709226 --file /conda-envs/cfc3f09b63c30f8eb4932eaae0709226/environment.yaml && \
    conda env create --prefix /conda-envs/d8ec6559a597700233fdf3aaa9ea8293 --file /conda-envs/d8ec6559a597700233fdf3aaa9ea8293/environment.yaml && \
    conda clean --all -y
