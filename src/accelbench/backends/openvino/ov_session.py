"""Queries of a model that OpenVINO compiled.

Facts relied on, from OpenVINO's documentation: an infer request belongs to one query at a time, and its output tensors
keep their values until its next inference; OPTIMAL_NUMBER_OF_INFER_REQUESTS says how many requests keep a model busy.
From the library's own Python source: ``InferRequest.infer`` looks for inputs to set and wraps the outputs in a
dictionary of its own, and its base's takes the same (inputs, whether outputs are shared, whether strings are decoded)
without.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any

import openvino

from accelbench.backends.protocol import CompileJob, Done, Feed, Outputs
from accelbench.tensors import Array

SHARED_FROM_BYTES = 1 << 16
"""An input of fewer bytes is copied: lending it to OpenVINO costs some 5 µs, which is a copy of that size."""

ROUNDS = 4
"""So often is each request used in a turn of the tuner for throughput."""


class Request:
    """An infer request with tensors of its own, made once, so that a query costs a copy or a pointer for each input and
    nothing for the outputs."""

    def __init__(
        self, model: openvino.CompiledModel, inputs: Sequence[str], outputs: Sequence[str], own_outputs: bool = True
    ) -> None:
        """Without ``own_outputs`` the stack's own tensors are handed out."""
        self.infer_request = model.create_infer_request()
        base: Any = super(openvino.InferRequest, self.infer_request)
        self.infer = partial(base.infer, {}, True, False)
        """Run on what ``take`` took. A microsecond less than the call with names and with what is wrapped around it."""
        self.feed: Feed = {}  # of the query that is running: what it shares must live as long
        self.done: Done = _nobody
        self._inputs = []
        for name, place in _places(model.inputs, inputs):
            tensor = openvino.Tensor(model.inputs[place].element_type, model.inputs[place].shape)
            self.infer_request.set_input_tensor(place, tensor)
            own = tensor.data
            self._inputs.append((name, place, tensor, own, own.shape, own.dtype.num, own.nbytes < SHARED_FROM_BYTES))
        self._fixed: dict[str, Array] = {}
        self._free: list[tuple[str, int]] = []
        for name, place in _places(model.outputs, outputs):
            if not own_outputs or model.outputs[place].get_partial_shape().is_dynamic:
                self._free.append((name, place))
                continue
            tensor = openvino.Tensor(model.outputs[place].element_type, model.outputs[place].shape)
            self.infer_request.set_output_tensor(place, tensor)
            self._fixed[name] = tensor.data

    def take(self, feed: Feed) -> None:
        """Make ``feed`` the inputs: small ones are copied, large ones shared if they lie in memory as OpenVINO wants
        them. What is shared belongs to the query until it ends. Raises ValueError for a shape or type that is not the
        model's."""
        for name, place, tensor, own, shape, dtype, small in self._inputs:
            value = feed[name]
            if value.shape != shape or value.dtype.num != dtype:
                raise ValueError(f"input {name} is {value.dtype} {value.shape}, the model takes {own.dtype} {shape}")
            if small:
                own[...] = value
            elif value.dtype == own.dtype and value.flags.c_contiguous and value.flags.writeable:
                self.infer_request.set_input_tensor(place, openvino.Tensor(value, shared_memory=True))
            else:
                own[...] = value
                self.infer_request.set_input_tensor(place, tensor)

    def outputs(self) -> Outputs:
        """Views of the outputs, valid until the next inference."""
        if not self._free:
            return self._fixed
        shaped = {name: self.infer_request.get_output_tensor(place).data for name, place in self._free}
        return {**self._fixed, **shaped}


class OvSession:
    """A compiled model with one infer request per calling thread, and a pool of them for ``submit``."""

    def __init__(
        self, model: openvino.CompiledModel, inputs: Sequence[str], outputs: Sequence[str], concurrency: int
    ) -> None:
        self._made = partial(Request, model, inputs, outputs, not _hands_through(model))
        self._local = threading.local()
        self._concurrency = concurrency
        self._free: SimpleQueue[Request] = SimpleQueue()
        for _ in range(concurrency):
            request = self._made()
            request.infer_request.set_callback(self._ended, request)
            self._free.put(request)

    def run(self, feed: Feed) -> Outputs:
        request: Request | None = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._made()
        request.take(feed)
        request.infer()
        return request.outputs()

    def submit(self, feed: Feed, done: Done) -> None:
        request = self._free.get()
        request.feed, request.done = feed, done
        try:
            request.take(feed)
            request.infer_request.start_async()
        except Exception:
            self._free.put(request)
            raise

    def close(self) -> None:
        for _ in range(self._concurrency):
            infer_request = self._free.get().infer_request
            infer_request.wait()
            infer_request.set_callback(_nobody, None)
        self._local = threading.local()
        del self._made

    def _ended(self, request: Request) -> None:
        try:
            request.done(request.outputs())
        finally:
            self._free.put(request)


def _hands_through(model: openvino.CompiledModel) -> bool:
    """Whether an output is an input, with no layer left in between. OpenVINO does not write it into a tensor that it is
    given for it."""
    results = model.get_runtime_model().get_results()
    return any(result.input_value(0).get_node().get_type_name() == "Parameter" for result in results)


class OvReady(OvSession):
    """What the tuner compares: for latency one query at a time, for throughput as many at once as the stack calls
    optimal, until each request was used a few times."""

    def __init__(self, model: openvino.CompiledModel, job: CompileJob, feed: Feed, several: bool) -> None:
        requests = int(model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")) if several else 0
        super().__init__(model, [spec.name for spec in job.inputs], [spec.name for spec in job.outputs], requests)
        self._feed, self._batch, self._left = feed, job.batch, threading.Semaphore(0)

    def turn(self) -> int:
        queries = ROUNDS * self._concurrency
        for _ in range(queries):
            self.submit(self._feed, self._one_more)
        for _ in range(queries):
            self._left.acquire()
        if not queries:
            self.run(self._feed)
        return self._batch * max(1, queries)

    def _one_more(self, _ended: object) -> None:
        self._left.release()


def _places(ports: Sequence[Any], names: Sequence[str]) -> list[tuple[str, int]]:
    """Each name with the place of the port that has it.

    An input that is handed through to an output bears the output's name alone: names that no port has get the ports
    that nobody names, in order. An input that nothing reads may have no port."""
    places = {name: place for place, port in enumerate(ports) for name in port.get_names()}
    found = {name: places[name] for name in names if name in places}
    others = iter(place for place in range(len(ports)) if place not in found.values())
    for name in names:
        if name not in found:
            place = next(others, None)
            if place is not None:
                found[name] = place
    return list(found.items())


def _nobody(_ended: object) -> None:
    """Called where nobody waits: a request that holds no other callback, and so keeps no session alive."""
