// 3 × 3 convolution by Winograd's minimal filtering. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_convolution.h"

/// How a kernel's weights lie: tap t of output o and input c is at w[o·output + c·input + t], or at
/// 8 − t where `turned`. The adjoint of a convolution is one with other strides, turned.
typedef struct {
    const float *w;
    long output, input;
    int turned;
} ck_kernel_weights;

/// Whether `shape` gains: 3 × 3, stride 1, enough channels for the products to outweigh the transforms.
int ck_winograd_suits(const ck_convolution *shape);

/// y = convolution of x + bias (NULL: none), with what a fusion adds (NULL: nothing). The order of every sum depends on the shape of one
/// picture alone.
void ck_winograd(ck_pool *pool, const ck_convolution *shape, const float *x,
                 ck_kernel_weights weights, const float *bias,
                 const ck_convolution_fusion *fusion, float *y);
