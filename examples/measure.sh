#!/bin/sh
# Measures the story's reports again: `examples/measure.sh FOLDER` writes a bundle per report into FOLDER. It takes some
# minutes on two CPUs with nothing else on them. A run of which a pass is not valid (another process was in the way) is
# done again, seven times at most.
set -eu

mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
number=0

# evaluate COMMAND...: run it into a new folder and pack the report. That something left its tolerance is a result too.
evaluate() {
  for _ in 1 2 3 4 5 6 7 8; do
    number=$((number + 1))
    "$@" --quick -o "run-$number" || test $? -eq 1
    invalid=$(accelbench query "run-$number" --csv 'SELECT count(*) FROM passes WHERE against IS NOT NULL' | tail -n 1)
    test "$invalid" -ne 0 || break
  done
  accelbench report pack "run-$number" -o "$out"
}

digits="accelbench run digits-resnet -b openvino --scenario offline --max-time 0.5"
for pass in prune:0.3+int8-static int8-static none; do
  evaluate $digits --pass "$pass"
  evaluate taskset -c 0 $digits --pass "$pass" # on one CPU: the smallest share of a machine that is rented
done
evaluate accelbench run resnet50 -b openvino --precision bf16
evaluate accelbench run resnet50 -b openvino
evaluate accelbench run resnet50 -b onnxruntime
evaluate accelbench run digits-cnn -b onnxruntime-openvino --scenario offline --max-time 0.5
