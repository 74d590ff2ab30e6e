// Reductions on f32 over the middle of [outer, length, inner]. SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>
#include "ck_pool.h"

/// out[o, i] = scale · Σ_l x[o, l, i]; partial sums in f64 for long rows.
void ck_sum_f32(ck_pool *pool, const float *x, float *out, long outer, long length, long inner,
                float scale);
/// Largest value and its first index along l.
void ck_max_f32(ck_pool *pool, const float *x, float *values, int32_t *indices, long outer,
                long length, long inner);
/// Σ x² in f64.
double ck_sum_of_squares_f32(ck_pool *pool, const float *x, long n);
/// Whether every value is finite.
int ck_all_finite_f32(ck_pool *pool, const float *x, long n);
