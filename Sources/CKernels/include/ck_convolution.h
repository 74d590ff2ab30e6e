// Two-dimensional convolution, [B, C, H, W]. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_pool.h"

/// The shape of one convolution. y[b, o, i, j] = bias[o] + Σ w[o, c, u, v] · x[b, c, i·stride + u − top,
/// j·stride + v − left], zero outside; out = (size + paddings − kernel) / stride + 1.
typedef struct {
    long batch, channels, height, width;
    long outputs, kernel_height, kernel_width, out_height, out_width;
    long stride, top, left, groups;
} ck_convolution;

/// w [O, C/groups, kh, kw]; bias [O] or NULL. An image's result does not depend on the batch.
void ck_convolution_forward(ck_pool *pool, const ck_convolution *shape, const float *x,
                            const float *w, const float *bias, float *y);
/// dx = the adjoint applied to dy; overwritten.
void ck_convolution_backward_data(ck_pool *pool, const ck_convolution *shape, const float *dy,
                                  const float *w, float *dx);
/// dw overwritten; summed over images in an order that the number of threads doesn't change.
void ck_convolution_backward_weight(ck_pool *pool, const ck_convolution *shape, const float *x,
                                    const float *dy, float *dw);
/// db[o] = Σ dy over images and pixels.
void ck_convolution_backward_bias(ck_pool *pool, const ck_convolution *shape, const float *dy,
                                  float *db);
