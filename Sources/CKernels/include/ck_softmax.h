// Softmax, log-softmax and cross-entropy over rows. SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>
#include "ck_pool.h"

/// y = e^(x − max) / Σ over rows of `width`; a row of −∞ alone becomes zeros.
void ck_softmax_forward(ck_pool *pool, const float *x, long rows, long width, float *y);
/// dx = y · (dy − Σ dy·y).
void ck_softmax_backward(ck_pool *pool, const float *y, const float *dy, long rows, long width,
                         float *dx);
/// y = x − log Σ e^x.
void ck_log_softmax_forward(ck_pool *pool, const float *x, long rows, long width, float *y);
/// dx = dy − e^y · Σ dy.
void ck_log_softmax_backward(ck_pool *pool, const float *y, const float *dy, long rows, long width,
                             float *dx);
/// loss[r] = logsumexp[r] − x[r, target[r]]; targets in 0 ..< width.
void ck_cross_entropy_forward(ck_pool *pool, const float *x, const int32_t *targets, long rows,
                              long width, float *loss, float *logsumexp);
/// dx[r] = dloss[r] · (softmax(x[r]) − onehot(target[r])).
void ck_cross_entropy_backward(ck_pool *pool, const float *x, const int32_t *targets,
                               const float *logsumexp, const float *dloss, long rows, long width,
                               float *dx);
