// Attention without an L × M matrix. SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>
#include "ck_pool.h"

/// Where the rows of a [batch, heads, length, dim] operand lie, in floats; dim itself is dense.
typedef struct {
    long batch, head, row;
} ck_rows;

/// The shape of one attention. Query row l sees the keys [start[l], end[l]); NULL: all of them.
typedef struct {
    long batch, heads, queries, keys, dim;
    float scale;
    const int32_t *start, *end;
    ck_rows q_rows, k_rows, v_rows, o_rows;
} ck_attention;

/// o = softmax(scale · q kᵀ) v; logsumexp [batch, heads, queries] is kept for the backward pass.
/// A row that sees nothing is zeros.
void ck_attention_forward(ck_pool *pool, const ck_attention *shape, const float *q, const float *k,
                          const float *v, float *o, float *logsumexp);
/// Recomputes the weights tile by tile. `o` and `do_` lie as o_rows says; dq as dq_rows, dk and dv as dk_rows.
void ck_attention_backward(ck_pool *pool, const ck_attention *shape, const float *q,
                           const float *k, const float *v, const float *o, const float *do_,
                           const float *logsumexp, float *dq, ck_rows dq_rows, float *dk, float *dv,
                           ck_rows dk_rows);
