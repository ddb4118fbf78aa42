#!/bin/sh
# Installs Apache Spark (pyspark) into ./.work. Needs Java 17 and Python 3.9 or newer.
set -eu
cd "$(dirname "$0")"
python3 -m venv .work/venv
.work/venv/bin/pip install --quiet pyspark==4.3.0
