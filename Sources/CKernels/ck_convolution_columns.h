// Convolution gradients by tiles of im2col; arguments as ck_convolution.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_convolution.h"

/// For strides above 1: products with the transposed weights, scattered to the pixels they came from.
void ck_columns_backward_data(ck_pool *pool, const ck_convolution *shape, const float *dy,
                              const float *w, float *dx);
/// For few input channels: channels and taps together fill the vectors.
void ck_columns_backward_weight(ck_pool *pool, const ck_convolution *shape, const float *x,
                                const float *dy, float *dw);
