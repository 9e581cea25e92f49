from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ACCEPTED: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ACCEPTED: Outcome
OUTCOME_FAILED: Outcome

class PublicKey(_message.Message):
    __slots__ = ("type", "data")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    type: int
    data: bytes
    def __init__(self, type: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("public_key", "payload_type", "payload", "signature")
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    public_key: PublicKey
    payload_type: bytes
    payload: bytes
    signature: bytes
    def __init__(self, public_key: _Optional[_Union[PublicKey, _Mapping]] = ..., payload_type: _Optional[bytes] = ..., payload: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Blob(_message.Message):
    __slots__ = ("cid", "size", "root")
    CID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    cid: str
    size: int
    root: bytes
    def __init__(self, cid: _Optional[str] = ..., size: _Optional[int] = ..., root: _Optional[bytes] = ...) -> None: ...

class Tensor(_message.Message):
    __slots__ = ("name", "dtype", "shape")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Tolerance(_message.Message):
    __slots__ = ("atol_nano", "rtol_nano")
    ATOL_NANO_FIELD_NUMBER: _ClassVar[int]
    RTOL_NANO_FIELD_NUMBER: _ClassVar[int]
    atol_nano: int
    rtol_nano: int
    def __init__(self, atol_nano: _Optional[int] = ..., rtol_nano: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("seconds", "memory_mb", "model_mb")
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_MB_FIELD_NUMBER: _ClassVar[int]
    MODEL_MB_FIELD_NUMBER: _ClassVar[int]
    seconds: int
    memory_mb: int
    model_mb: int
    def __init__(self, seconds: _Optional[int] = ..., memory_mb: _Optional[int] = ..., model_mb: _Optional[int] = ...) -> None: ...

class Condition(_message.Message):
    __slots__ = ("name", "kind", "level_nano", "seed")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LEVEL_NANO_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    level_nano: int
    seed: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., level_nano: _Optional[int] = ..., seed: _Optional[int] = ...) -> None: ...

class Verification(_message.Message):
    __slots__ = ("epsilon_nano", "delta_nano", "replicas", "max_attempts")
    EPSILON_NANO_FIELD_NUMBER: _ClassVar[int]
    DELTA_NANO_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    epsilon_nano: int
    delta_nano: int
    replicas: int
    max_attempts: int
    def __init__(self, epsilon_nano: _Optional[int] = ..., delta_nano: _Optional[int] = ..., replicas: _Optional[int] = ..., max_attempts: _Optional[int] = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("low_nano", "high_nano")
    LOW_NANO_FIELD_NUMBER: _ClassVar[int]
    HIGH_NANO_FIELD_NUMBER: _ClassVar[int]
    low_nano: int
    high_nano: int
    def __init__(self, low_nano: _Optional[int] = ..., high_nano: _Optional[int] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("low_nano", "high_nano")
    LOW_NANO_FIELD_NUMBER: _ClassVar[int]
    HIGH_NANO_FIELD_NUMBER: _ClassVar[int]
    low_nano: int
    high_nano: int
    def __init__(self, low_nano: _Optional[int] = ..., high_nano: _Optional[int] = ...) -> None: ...

class Undefined(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OutOfRange(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MetricReport(_message.Message):
    __slots__ = ("name", "value_nano", "undefined", "out_of_range", "audit", "sampling", "group", "ambiguity")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_NANO_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_RANGE_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AMBIGUITY_FIELD_NUMBER: _ClassVar[int]
    name: str
    value_nano: int
    undefined: Undefined
    out_of_range: OutOfRange
    audit: Interval
    sampling: Interval
    group: str
    ambiguity: Interval
    def __init__(self, name: _Optional[str] = ..., value_nano: _Optional[int] = ..., undefined: _Optional[_Union[Undefined, _Mapping]] = ..., out_of_range: _Optional[_Union[OutOfRange, _Mapping]] = ..., audit: _Optional[_Union[Interval, _Mapping]] = ..., sampling: _Optional[_Union[Interval, _Mapping]] = ..., group: _Optional[str] = ..., ambiguity: _Optional[_Union[Interval, _Mapping]] = ...) -> None: ...

class Certificate(_message.Message):
    __slots__ = ("epsilon_nano", "delta_nano", "samples", "audited", "attempts")
    EPSILON_NANO_FIELD_NUMBER: _ClassVar[int]
    DELTA_NANO_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    AUDITED_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    epsilon_nano: int
    delta_nano: int
    samples: int
    audited: int
    attempts: int
    def __init__(self, epsilon_nano: _Optional[int] = ..., delta_nano: _Optional[int] = ..., samples: _Optional[int] = ..., audited: _Optional[int] = ..., attempts: _Optional[int] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ("assignment", "nonce", "drawn", "differing")
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    DRAWN_FIELD_NUMBER: _ClassVar[int]
    DIFFERING_FIELD_NUMBER: _ClassVar[int]
    assignment: str
    nonce: bytes
    drawn: int
    differing: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, assignment: _Optional[str] = ..., nonce: _Optional[bytes] = ..., drawn: _Optional[int] = ..., differing: _Optional[_Iterable[int]] = ...) -> None: ...

class Efficiency(_message.Message):
    __slots__ = ("wall_ms", "peak_memory_mb", "layers", "throughput_milli", "latency_p50_us", "latency_p99_us")
    WALL_MS_FIELD_NUMBER: _ClassVar[int]
    PEAK_MEMORY_MB_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    THROUGHPUT_MILLI_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P50_US_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_US_FIELD_NUMBER: _ClassVar[int]
    wall_ms: int
    peak_memory_mb: int
    layers: _containers.RepeatedScalarFieldContainer[str]
    throughput_milli: int
    latency_p50_us: int
    latency_p99_us: int
    def __init__(self, wall_ms: _Optional[int] = ..., peak_memory_mb: _Optional[int] = ..., layers: _Optional[_Iterable[str]] = ..., throughput_milli: _Optional[int] = ..., latency_p50_us: _Optional[int] = ..., latency_p99_us: _Optional[int] = ...) -> None: ...

class Membership(_message.Message):
    __slots__ = ("benchmark", "evaluates", "requests")
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    EVALUATES_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    benchmark: str
    evaluates: bool
    requests: bool
    def __init__(self, benchmark: _Optional[str] = ..., evaluates: _Optional[bool] = ..., requests: _Optional[bool] = ...) -> None: ...

class BenchmarkSpec(_message.Message):
    __slots__ = ("network", "author", "name", "title", "description", "license", "version", "parent", "task", "samples", "inputs", "labels", "labels_commitment", "model_input", "model_output", "metrics", "range", "tolerance", "limits", "verification", "groups", "group_names", "fraud_margin", "profile", "conditions")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LABELS_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    MODEL_INPUT_FIELD_NUMBER: _ClassVar[int]
    MODEL_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    GROUP_NAMES_FIELD_NUMBER: _ClassVar[int]
    FRAUD_MARGIN_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    name: str
    title: str
    description: str
    license: str
    version: int
    parent: str
    task: str
    samples: int
    inputs: Blob
    labels: Blob
    labels_commitment: bytes
    model_input: Tensor
    model_output: Tensor
    metrics: _containers.RepeatedScalarFieldContainer[str]
    range: Range
    tolerance: Tolerance
    limits: Limits
    verification: Verification
    groups: Blob
    group_names: _containers.RepeatedScalarFieldContainer[str]
    fraud_margin: int
    profile: str
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., name: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., license: _Optional[str] = ..., version: _Optional[int] = ..., parent: _Optional[str] = ..., task: _Optional[str] = ..., samples: _Optional[int] = ..., inputs: _Optional[_Union[Blob, _Mapping]] = ..., labels: _Optional[_Union[Blob, _Mapping]] = ..., labels_commitment: _Optional[bytes] = ..., model_input: _Optional[_Union[Tensor, _Mapping]] = ..., model_output: _Optional[_Union[Tensor, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., range: _Optional[_Union[Range, _Mapping]] = ..., tolerance: _Optional[_Union[Tolerance, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., verification: _Optional[_Union[Verification, _Mapping]] = ..., groups: _Optional[_Union[Blob, _Mapping]] = ..., group_names: _Optional[_Iterable[str]] = ..., fraud_margin: _Optional[int] = ..., profile: _Optional[str] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ...) -> None: ...

class BenchmarkAnnouncement(_message.Message):
    __slots__ = ("network", "author", "name", "title", "spec", "sequence")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    name: str
    title: str
    spec: str
    sequence: int
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., name: _Optional[str] = ..., title: _Optional[str] = ..., spec: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class PeerProfile(_message.Message):
    __slots__ = ("network", "author", "name", "addresses", "classes", "memberships", "cores", "memory_mb", "sequence")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIPS_FIELD_NUMBER: _ClassVar[int]
    CORES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_MB_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    name: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    classes: _containers.RepeatedScalarFieldContainer[str]
    memberships: _containers.RepeatedCompositeFieldContainer[Membership]
    cores: int
    memory_mb: int
    sequence: int
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., name: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., classes: _Optional[_Iterable[str]] = ..., memberships: _Optional[_Iterable[_Union[Membership, _Mapping]]] = ..., cores: _Optional[int] = ..., memory_mb: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class TaskAnnouncement(_message.Message):
    __slots__ = ("network", "author", "benchmark", "model", "model_name", "epsilon_nano", "delta_nano", "replicas", "created_ms", "deadline_ms")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    EPSILON_NANO_FIELD_NUMBER: _ClassVar[int]
    DELTA_NANO_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    CREATED_MS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    model: Blob
    model_name: str
    epsilon_nano: int
    delta_nano: int
    replicas: int
    created_ms: int
    deadline_ms: int
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., model: _Optional[_Union[Blob, _Mapping]] = ..., model_name: _Optional[str] = ..., epsilon_nano: _Optional[int] = ..., delta_nano: _Optional[int] = ..., replicas: _Optional[int] = ..., created_ms: _Optional[int] = ..., deadline_ms: _Optional[int] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ("network", "author", "task", "equivalence_class", "expires_ms")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    EQUIVALENCE_CLASS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_MS_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    task: str
    equivalence_class: str
    expires_ms: int
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., task: _Optional[str] = ..., equivalence_class: _Optional[str] = ..., expires_ms: _Optional[int] = ...) -> None: ...

class Decline(_message.Message):
    __slots__ = ("network", "author", "task", "assignment", "reason", "until_ms")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    task: str
    assignment: str
    reason: str
    until_ms: int
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., task: _Optional[str] = ..., assignment: _Optional[str] = ..., reason: _Optional[str] = ..., until_ms: _Optional[int] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("network", "author", "task")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    task: str
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., task: _Optional[str] = ...) -> None: ...

class Assignment(_message.Message):
    __slots__ = ("network", "author", "task", "evaluator", "attempt", "commit_by_ms", "audit_commitment")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    EVALUATOR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    COMMIT_BY_MS_FIELD_NUMBER: _ClassVar[int]
    AUDIT_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    task: str
    evaluator: str
    attempt: int
    commit_by_ms: int
    audit_commitment: bytes
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., task: _Optional[str] = ..., evaluator: _Optional[str] = ..., attempt: _Optional[int] = ..., commit_by_ms: _Optional[int] = ..., audit_commitment: _Optional[bytes] = ...) -> None: ...

class Commitment(_message.Message):
    __slots__ = ("network", "author", "task", "assignment", "digest")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    task: str
    assignment: str
    digest: bytes
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., task: _Optional[str] = ..., assignment: _Optional[str] = ..., digest: _Optional[bytes] = ...) -> None: ...

class CommitmentSet(_message.Message):
    __slots__ = ("network", "author", "task", "round", "commitments")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    task: str
    round: int
    commitments: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., task: _Optional[str] = ..., round: _Optional[int] = ..., commitments: _Optional[_Iterable[str]] = ...) -> None: ...

class Reveal(_message.Message):
    __slots__ = ("network", "author", "task", "assignment", "commitment", "equivalence_class", "samples", "root", "nonce", "outputs", "efficiency")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    EQUIVALENCE_CLASS_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    EFFICIENCY_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    task: str
    assignment: str
    commitment: str
    equivalence_class: str
    samples: int
    root: bytes
    nonce: bytes
    outputs: Blob
    efficiency: Efficiency
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., task: _Optional[str] = ..., assignment: _Optional[str] = ..., commitment: _Optional[str] = ..., equivalence_class: _Optional[str] = ..., samples: _Optional[int] = ..., root: _Optional[bytes] = ..., nonce: _Optional[bytes] = ..., outputs: _Optional[_Union[Blob, _Mapping]] = ..., efficiency: _Optional[_Union[Efficiency, _Mapping]] = ...) -> None: ...

class ResultRecord(_message.Message):
    __slots__ = ("network", "author", "task", "benchmark", "revision", "outcome", "accepted", "metrics", "certificate", "checks", "announcement", "assignments", "commitments", "commitment_sets", "reveals", "audits", "finished_ms")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCEMENT_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_SETS_FIELD_NUMBER: _ClassVar[int]
    REVEALS_FIELD_NUMBER: _ClassVar[int]
    AUDITS_FIELD_NUMBER: _ClassVar[int]
    FINISHED_MS_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    task: str
    benchmark: str
    revision: int
    outcome: Outcome
    accepted: str
    metrics: _containers.RepeatedCompositeFieldContainer[MetricReport]
    certificate: Certificate
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    announcement: bytes
    assignments: _containers.RepeatedScalarFieldContainer[bytes]
    commitments: _containers.RepeatedScalarFieldContainer[bytes]
    commitment_sets: _containers.RepeatedScalarFieldContainer[bytes]
    reveals: _containers.RepeatedScalarFieldContainer[bytes]
    audits: _containers.RepeatedScalarFieldContainer[bytes]
    finished_ms: int
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., task: _Optional[str] = ..., benchmark: _Optional[str] = ..., revision: _Optional[int] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., accepted: _Optional[str] = ..., metrics: _Optional[_Iterable[_Union[MetricReport, _Mapping]]] = ..., certificate: _Optional[_Union[Certificate, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ..., announcement: _Optional[bytes] = ..., assignments: _Optional[_Iterable[bytes]] = ..., commitments: _Optional[_Iterable[bytes]] = ..., commitment_sets: _Optional[_Iterable[bytes]] = ..., reveals: _Optional[_Iterable[bytes]] = ..., audits: _Optional[_Iterable[bytes]] = ..., finished_ms: _Optional[int] = ...) -> None: ...

class AuditCommitment(_message.Message):
    __slots__ = ("network", "author", "benchmark", "task", "record", "digest")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    task: str
    record: str
    digest: bytes
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., task: _Optional[str] = ..., record: _Optional[str] = ..., digest: _Optional[bytes] = ...) -> None: ...

class AuditReport(_message.Message):
    __slots__ = ("network", "author", "benchmark", "task", "record", "commitment", "equivalence_class", "nonce", "indices", "rows", "differing")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    EQUIVALENCE_CLASS_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    DIFFERING_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    task: str
    record: str
    commitment: str
    equivalence_class: str
    nonce: bytes
    indices: _containers.RepeatedScalarFieldContainer[int]
    rows: _containers.RepeatedScalarFieldContainer[bytes]
    differing: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., task: _Optional[str] = ..., record: _Optional[str] = ..., commitment: _Optional[str] = ..., equivalence_class: _Optional[str] = ..., nonce: _Optional[bytes] = ..., indices: _Optional[_Iterable[int]] = ..., rows: _Optional[_Iterable[bytes]] = ..., differing: _Optional[_Iterable[int]] = ...) -> None: ...

class AuditRequest(_message.Message):
    __slots__ = ("network", "author", "benchmark", "task", "announcement", "auditor", "round", "indices", "deadline_ms")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCEMENT_FIELD_NUMBER: _ClassVar[int]
    AUDITOR_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    task: str
    announcement: bytes
    auditor: str
    round: int
    indices: _containers.RepeatedScalarFieldContainer[int]
    deadline_ms: int
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., task: _Optional[str] = ..., announcement: _Optional[bytes] = ..., auditor: _Optional[str] = ..., round: _Optional[int] = ..., indices: _Optional[_Iterable[int]] = ..., deadline_ms: _Optional[int] = ...) -> None: ...

class AuditAnswer(_message.Message):
    __slots__ = ("network", "author", "benchmark", "task", "request", "equivalence_class", "rows")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    EQUIVALENCE_CLASS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    task: str
    request: str
    equivalence_class: str
    rows: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., task: _Optional[str] = ..., request: _Optional[str] = ..., equivalence_class: _Optional[str] = ..., rows: _Optional[_Iterable[bytes]] = ...) -> None: ...

class FraudProof(_message.Message):
    __slots__ = ("network", "author", "benchmark", "task", "assignment", "announcement", "reveal", "index", "row", "path")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCEMENT_FIELD_NUMBER: _ClassVar[int]
    REVEAL_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    task: str
    assignment: str
    announcement: bytes
    reveal: bytes
    index: int
    row: bytes
    path: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., task: _Optional[str] = ..., assignment: _Optional[str] = ..., announcement: _Optional[bytes] = ..., reveal: _Optional[bytes] = ..., index: _Optional[int] = ..., row: _Optional[bytes] = ..., path: _Optional[_Iterable[bytes]] = ...) -> None: ...

class EquivocationProof(_message.Message):
    __slots__ = ("network", "author", "benchmark", "accused", "kind", "where", "first", "second")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    ACCUSED_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    accused: str
    kind: str
    where: str
    first: bytes
    second: bytes
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., accused: _Optional[str] = ..., kind: _Optional[str] = ..., where: _Optional[str] = ..., first: _Optional[bytes] = ..., second: _Optional[bytes] = ...) -> None: ...

class LabelsReveal(_message.Message):
    __slots__ = ("network", "author", "benchmark", "labels", "nonce")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    labels: Blob
    nonce: bytes
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., labels: _Optional[_Union[Blob, _Mapping]] = ..., nonce: _Optional[bytes] = ...) -> None: ...

class Scores(_message.Message):
    __slots__ = ("network", "author", "benchmark", "task", "record", "metrics")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    task: str
    record: str
    metrics: _containers.RepeatedCompositeFieldContainer[MetricReport]
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., task: _Optional[str] = ..., record: _Optional[str] = ..., metrics: _Optional[_Iterable[_Union[MetricReport, _Mapping]]] = ...) -> None: ...

class TrustEntry(_message.Message):
    __slots__ = ("peer", "agreed_milli", "disagreed_milli")
    PEER_FIELD_NUMBER: _ClassVar[int]
    AGREED_MILLI_FIELD_NUMBER: _ClassVar[int]
    DISAGREED_MILLI_FIELD_NUMBER: _ClassVar[int]
    peer: str
    agreed_milli: int
    disagreed_milli: int
    def __init__(self, peer: _Optional[str] = ..., agreed_milli: _Optional[int] = ..., disagreed_milli: _Optional[int] = ...) -> None: ...

class TrustStatement(_message.Message):
    __slots__ = ("network", "author", "benchmark", "epoch", "entries")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    network: str
    author: str
    benchmark: str
    epoch: int
    entries: _containers.RepeatedCompositeFieldContainer[TrustEntry]
    def __init__(self, network: _Optional[str] = ..., author: _Optional[str] = ..., benchmark: _Optional[str] = ..., epoch: _Optional[int] = ..., entries: _Optional[_Iterable[_Union[TrustEntry, _Mapping]]] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ("type", "benchmark", "id", "size")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    type: str
    benchmark: str
    id: str
    size: int
    def __init__(self, type: _Optional[str] = ..., benchmark: _Optional[str] = ..., id: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class Gossip(_message.Message):
    __slots__ = ("envelope", "notice")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    notice: Notice
    def __init__(self, envelope: _Optional[bytes] = ..., notice: _Optional[_Union[Notice, _Mapping]] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("accepted", "reason")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    reason: str
    def __init__(self, accepted: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class Bucket(_message.Message):
    __slots__ = ("benchmark", "type", "bucket", "digest")
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    benchmark: str
    type: str
    bucket: int
    digest: bytes
    def __init__(self, benchmark: _Optional[str] = ..., type: _Optional[str] = ..., bucket: _Optional[int] = ..., digest: _Optional[bytes] = ...) -> None: ...

class Digests(_message.Message):
    __slots__ = ("benchmarks", "buckets")
    BENCHMARKS_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    benchmarks: _containers.RepeatedScalarFieldContainer[str]
    buckets: _containers.RepeatedCompositeFieldContainer[Bucket]
    def __init__(self, benchmarks: _Optional[_Iterable[str]] = ..., buckets: _Optional[_Iterable[_Union[Bucket, _Mapping]]] = ...) -> None: ...

class Get(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SyncRequest(_message.Message):
    __slots__ = ("digests", "get")
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    GET_FIELD_NUMBER: _ClassVar[int]
    digests: Digests
    get: Get
    def __init__(self, digests: _Optional[_Union[Digests, _Mapping]] = ..., get: _Optional[_Union[Get, _Mapping]] = ...) -> None: ...

class Missing(_message.Message):
    __slots__ = ("ids", "more")
    IDS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    more: bool
    def __init__(self, ids: _Optional[_Iterable[str]] = ..., more: _Optional[bool] = ...) -> None: ...

class Objects(_message.Message):
    __slots__ = ("envelopes",)
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    envelopes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, envelopes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SyncReply(_message.Message):
    __slots__ = ("missing", "objects")
    MISSING_FIELD_NUMBER: _ClassVar[int]
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    missing: Missing
    objects: Objects
    def __init__(self, missing: _Optional[_Union[Missing, _Mapping]] = ..., objects: _Optional[_Union[Objects, _Mapping]] = ...) -> None: ...

class BlobRequest(_message.Message):
    __slots__ = ("cid", "first_chunk", "count", "want_hashes")
    CID_FIELD_NUMBER: _ClassVar[int]
    FIRST_CHUNK_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    WANT_HASHES_FIELD_NUMBER: _ClassVar[int]
    cid: str
    first_chunk: int
    count: int
    want_hashes: bool
    def __init__(self, cid: _Optional[str] = ..., first_chunk: _Optional[int] = ..., count: _Optional[int] = ..., want_hashes: _Optional[bool] = ...) -> None: ...

class BlobHeader(_message.Message):
    __slots__ = ("found", "size", "root")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    found: bool
    size: int
    root: bytes
    def __init__(self, found: _Optional[bool] = ..., size: _Optional[int] = ..., root: _Optional[bytes] = ...) -> None: ...

class Invitation(_message.Message):
    __slots__ = ("network", "benchmark", "name", "author", "addresses", "seed_peer", "network_key")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    SEED_PEER_FIELD_NUMBER: _ClassVar[int]
    NETWORK_KEY_FIELD_NUMBER: _ClassVar[int]
    network: str
    benchmark: str
    name: str
    author: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    seed_peer: str
    network_key: bytes
    def __init__(self, network: _Optional[str] = ..., benchmark: _Optional[str] = ..., name: _Optional[str] = ..., author: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., seed_peer: _Optional[str] = ..., network_key: _Optional[bytes] = ...) -> None: ...
