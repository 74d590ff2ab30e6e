// Separable resizing and pooling of planes. SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>
#include "ck_pool.h"

/// One direction of a separable resize as a banded matrix: output i = Σ_t weights[i·width + t] ·
/// input[first[i] + t], t < count[i].
typedef struct {
    long from, to, width;
    const int32_t *first, *count;
    const float *weights;
} ck_band_matrix;

/// y [planes, rows->to, columns->to] from x [planes, rows->from, columns->from].
void ck_resize(ck_pool *pool, const float *x, long planes, const ck_band_matrix *rows,
               const ck_band_matrix *columns, float *y);
/// Every pixel repeated 2 × 2.
void ck_upsample_nearest_2x(ck_pool *pool, const float *x, long planes, long height, long width,
                            float *y);
/// The adjoint: sums of 2 × 2 pixels of dy [planes, 2·height, 2·width].
void ck_sum_2x2(ck_pool *pool, const float *dy, long planes, long height, long width, float *dx);

/// The largest of size × size pixels every `stride`, without padding, and its position in the plane.
void ck_max_pool(ck_pool *pool, const float *x, long planes, long height, long width, long size,
                 long stride, float *y, int32_t *positions);
/// dx (zeroed first) gets dy at the positions.
void ck_max_pool_backward(ck_pool *pool, const float *dy, const int32_t *positions, long planes,
                          long pooled, long pixels, float *dx);
/// The mean of size × size pixels every `stride`, without padding.
void ck_average_pool(ck_pool *pool, const float *x, long planes, long height, long width, long size,
                     long stride, float *y);
void ck_average_pool_backward(ck_pool *pool, const float *dy, long planes, long height, long width,
                              long size, long stride, float *dx);
