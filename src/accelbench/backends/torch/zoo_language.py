"""The modules behind the zoo's tasks of language: the exporter traces them, this backend runs them.

The classes of the transformers library in the published sizes, so that the hub's safetensors load by name: names of
their state dicts are the names of the graphs' initializers, arguments of ``forward`` those of the inputs. ``attention``
is the implementation that the library is asked for, where it has several.

Sources: BERT (Devlin et al. 2018, arXiv:1810.04805), ALBERT (Lan et al. 2019, arXiv:1909.11942), RoBERTa (Liu et al.
2019, arXiv:1907.11692), DeBERTa (He et al. 2020, arXiv:2006.03654), RoFormer (Su et al. 2021, arXiv:2104.09864), MiniLM
(Wang et al. 2020, arXiv:2002.10957) as sentence-transformers/all-MiniLM-L6-v2.
"""

from __future__ import annotations

from torch import Tensor, nn
from transformers import (
    AlbertConfig,
    AlbertForQuestionAnswering,
    BertConfig,
    BertForQuestionAnswering,
    BertModel,
    DebertaConfig,
    DebertaForQuestionAnswering,
    RobertaConfig,
    RobertaForQuestionAnswering,
    RoFormerConfig,
    RoFormerForSequenceClassification,
)

MASKED = -10000.0
"""Added to the scores of masked positions, as in the originals: float16 can hold it; the library's own overflows it."""


def additive(attention_mask: Tensor, like: Tensor) -> Tensor:
    """The mask [batch, tokens] of ones and zeros as what is added to attention scores, [batch, 1, 1, tokens]."""
    return (1.0 - attention_mask[:, None, None, :].to(like.dtype)) * MASKED


class BertBase(BertForQuestionAnswering):
    """BERT-base with the question answering head: three int64 [batch,384] to two float32 [batch,384]."""

    def __init__(self, attention: str = "eager") -> None:
        super().__init__(BertConfig(attn_implementation=attention))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        mask = additive(attention_mask, self.qa_outputs.weight)
        hidden = self.bert(input_ids=input_ids, attention_mask=mask, token_type_ids=token_type_ids)[0]
        logits = self.qa_outputs(hidden)
        return logits[..., 0], logits[..., 1]


class Albert(AlbertForQuestionAnswering):
    """ALBERT-base-v2: three int64 [batch,384] to start and end logits, float32 [batch,384]."""

    def __init__(self, attention: str = "eager") -> None:
        config = AlbertConfig(
            hidden_size=768,
            num_attention_heads=12,
            intermediate_size=3072,
            attn_implementation=attention,
        )
        super().__init__(config)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        mask = additive(attention_mask, self.qa_outputs.weight)
        hidden = self.albert(input_ids=input_ids, attention_mask=mask, token_type_ids=token_type_ids)[0]
        logits = self.qa_outputs(hidden)
        return logits[..., 0], logits[..., 1]


class Roberta(RobertaForQuestionAnswering):
    """RoBERTa-base: two int64 [batch,384] to start and end logits, float32 [batch,384]; positions count the tokens
    that are no padding, in the graph."""

    def __init__(self, attention: str = "eager") -> None:
        config = RobertaConfig(
            vocab_size=50265,
            max_position_embeddings=514,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
            attn_implementation=attention,
        )
        super().__init__(config)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        mask = additive(attention_mask, self.qa_outputs.weight)
        hidden = self.roberta(input_ids=input_ids, attention_mask=mask)[0]
        logits = self.qa_outputs(hidden)
        return logits[..., 0], logits[..., 1]


class Deberta(DebertaForQuestionAnswering):
    """DeBERTa-base: two int64 [batch,384] to start and end logits, float32 [batch,384]. Attention adds what content
    and relative position say of one another, either way.

    Only keys are masked: the library masks the rows of padding whole, which are NaN where a compiler's float16 makes
    its lowest number infinite, and would spoil all others.
    """

    def __init__(self) -> None:
        config = DebertaConfig(
            relative_attention=True,
            position_biased_input=False,
            pos_att_type=["c2p", "p2c"],
        )
        super().__init__(config)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.deberta(input_ids=input_ids, attention_mask=attention_mask[:, None, None, :])[0]
        logits = self.qa_outputs(hidden)
        return logits[..., 0], logits[..., 1]


class Roformer(RoFormerForSequenceClassification):
    """Chinese RoFormer-base, named as in the hub's junnyu/roformer_chinese_base, with a classifier of pairs: three
    int64 [batch,1024] to logits, float32 [batch,2]."""

    def __init__(self) -> None:
        super().__init__(RoFormerConfig(num_labels=2))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        mask = additive(attention_mask, self.classifier.dense.weight)
        logits: Tensor = super().forward(input_ids, mask, token_type_ids).logits
        return logits


class MiniLm(BertModel):
    """all-MiniLM-L6-v2: two int64 [batch,32] to the direction of the tokens' mean, float32 [batch,384]."""

    def __init__(self, attention: str = "eager") -> None:
        config = BertConfig(hidden_size=384, num_hidden_layers=6, intermediate_size=1536, attn_implementation=attention)
        super().__init__(config, add_pooling_layer=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        weight = self.embeddings.word_embeddings.weight
        hidden = super().forward(input_ids=input_ids, attention_mask=additive(attention_mask, weight))[0]
        kept = attention_mask[..., None].to(weight.dtype)
        return nn.functional.normalize((hidden * kept).sum(1) / kept.sum(1))
