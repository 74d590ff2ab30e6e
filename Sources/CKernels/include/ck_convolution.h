// Two-dimensional convolution, [B, C, H, W]. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_pool.h"

/// The shape of one convolution. y[b, o, i, j] = bias[o] + Σ w[o, c, u, v] · x[b, c, i·stride + u − top,
/// j·stride + v − left], zero outside; out = (size + paddings − kernel) / stride + 1.
typedef struct {
    long batch, channels, height, width;
    long outputs, kernel_height, kernel_width, out_height, out_width;
    long stride, top, left, groups;
    int direct;  // 1: sums of products alone, never by way of transforms
} ck_convolution;

/// w [O, C/groups, kh, kw]; bias [O] or NULL. An image's result does not depend on the batch.
void ck_convolution_forward(ck_pool *pool, const ck_convolution *shape, const float *x,
                            const float *w, const float *bias, float *y);
/// What stands around a convolution and is done in its pass.
typedef struct {
    /// x·scale + shift [B, C] and then SiLU on the way in; NULL: x as it is.
    const float *scale, *shift;
    /// x is [B, C, H/2, W/2], every pixel standing for 2 × 2.
    int upsampled;
    /// [B, O, H′, W′], added to y; NULL: nothing. May be y itself.
    const float *residual;
} ck_convolution_fusion;

/// Whether ck_convolution_fused takes this shape.
int ck_convolution_fuses(const ck_convolution *shape);
/// As ck_convolution_forward; not both scaled and upsampled. Zeros around the picture are added behind the SiLU.
void ck_convolution_fused(ck_pool *pool, const ck_convolution *shape, const float *x,
                          const float *w, const float *bias, const ck_convolution_fusion *fusion,
                          float *y);
/// y = convolution(SiLU(x·scale + shift)) for kernels of odd height at stride 1 that keep the size, by bands
/// of `rows` rows: working memory is a band of x and of y. scale and shift [B, C].
void ck_activated_bands(ck_pool *pool, const ck_convolution *shape, const float *x,
                        const float *scale, const float *shift, const float *w, const float *bias,
                        long rows, float *y);
/// dx = the adjoint applied to dy; overwritten.
void ck_convolution_backward_data(ck_pool *pool, const ck_convolution *shape, const float *dy,
                                  const float *w, float *dx);
/// dw overwritten; summed over images in an order that the number of threads doesn't change.
void ck_convolution_backward_weight(ck_pool *pool, const ck_convolution *shape, const float *x,
                                    const float *dy, float *dw);
/// db[o] = Σ dy over images and pixels.
void ck_convolution_backward_bias(ck_pool *pool, const ck_convolution *shape, const float *dy,
                                  float *db);
