// Group, layer and l2 normalisation, forward and backward. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_pool.h"

/// y = (x − mean) · rstd · weight[c] + bias[c], followed by SiLU if `silu`; x [B, C, pixels]; biased variance over
/// C/groups · pixels. mean, rstd [B, groups] are written for the backward pass.
void ck_group_norm_forward(ck_pool *pool, const float *x, const float *weight, const float *bias,
                           long batch, long channels, long pixels, long groups, float epsilon,
                           int silu, float *y, float *mean, float *rstd);
/// The same as one map for each channel of each picture: y = x · scale + shift; scale and shift [B, C].
void ck_group_norm_map(ck_pool *pool, const float *x, const float *weight, const float *bias,
                       long batch, long channels, long pixels, long groups, float epsilon,
                       float *scale, float *shift);
/// dx as x, dweight and dbias [C], all overwritten.
void ck_group_norm_backward(ck_pool *pool, const float *x, const float *dy, const float *weight,
                            const float *bias, const float *mean, const float *rstd, long batch,
                            long channels, long pixels, long groups, int silu, float *dx,
                            float *dweight, float *dbias);

/// y = (x − mean) · rstd · (offset + gain) + shift over rows of `width`; gain and shift hold one row for each
/// `share` rows of x, or are NULL (1 and 0). mean, rstd [rows].
void ck_layer_norm_forward(ck_pool *pool, const float *x, long rows, long width, const float *gain,
                           float offset, const float *shift, long share, float epsilon, float *y,
                           float *mean, float *rstd);
/// dx as x; dgain and dshift as gain and shift (each may be NULL); overwritten.
void ck_layer_norm_backward(ck_pool *pool, const float *x, const float *dy, long rows, long width,
                            const float *gain, float offset, long share, const float *mean,
                            const float *rstd, float *dx, float *dgain, float *dshift);

/// y = x + branch · gate; gate holds one row of `width` for each `share` rows.
void ck_gated_residual_forward(ck_pool *pool, const float *x, const float *branch,
                               const float *gate, long rows, long width, long share, float *y);
/// dbranch = dy · gate; dgate = Σ over the sharing rows of dy · branch.
void ck_gated_residual_backward(ck_pool *pool, const float *dy, const float *branch,
                                const float *gate, long rows, long width, long share,
                                float *dbranch, float *dgate);

/// y = x / max(|x|, epsilon) over rows of `width`; norm [rows] = the divisor.
void ck_l2_norm_forward(ck_pool *pool, const float *x, long rows, long width, float epsilon,
                        float *y, float *norm);
void ck_l2_norm_backward(ck_pool *pool, const float *y, const float *dy, const float *norm,
                         long rows, long width, float epsilon, float *dx);
