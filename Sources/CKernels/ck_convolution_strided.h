// Convolution of any stride and padding by tiles of im2col; arguments as ck_convolution.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_convolution.h"

void ck_strided_forward(ck_pool *pool, const ck_convolution *shape, const float *x, const float *w,
                        const float *bias, float *y);
void ck_strided_backward_data(ck_pool *pool, const ck_convolution *shape, const float *dy,
                              const float *w, float *dx);
void ck_strided_backward_weight(ck_pool *pool, const ck_convolution *shape, const float *x,
                                const float *dy, float *dw);
