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

/// A block of tiles of one picture: quads of four tiles, 4 × 16 pixels, at rows and columns of the output.
typedef struct {
    long index;          // which block; set by the caller
    long stored, tiles;  // quads that exist; tiles, with repeats of the last quad
    long row[8], column[8];
} ck_winograd_block;

/// Transforms the inputs of a block to inputs[point][channel][tile], points channels·tiles + CK_LANES apart.
void ck_winograd_inputs(const ck_convolution *shape, const float *x, long image,
                        ck_winograd_block *block, float *inputs);

/// Whether the gradient to the weights gains: ck_winograd_suits, and more tiles than channels.
int ck_winograd_gradient_suits(const ck_convolution *shape);

/// dw as ck_convolution_backward_weight.
void ck_winograd_gradient(ck_pool *pool, const ck_convolution *shape, const float *x,
                          const float *dy, float *dw);
