// The optimiser's step on flat arrays. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_pool.h"

/// AdamW (Loshchilov & Hutter, arXiv 1711.05101): m, v and w are updated in place.
/// `correction1` = 1 − β1^t, `correction2` = 1 − β2^t; `gradient_scale` multiplies g first (clipping).
void ck_adamw_f32(ck_pool *pool, float *w, const float *g, float *m, float *v, long n,
                  float gradient_scale, float learning_rate, float beta1, float beta2,
                  float epsilon, float weight_decay, float correction1, float correction2);
/// average += (1 − decay) · (value − average).
void ck_moving_average_f32(ck_pool *pool, float *average, const float *value, long n, float decay);
