// Batch normalisation and nonlinearity of scalar and planar vector fields.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_pool.h"

/// A map x [batch, scalars + 2·vectors, pixels]: scalar channels first, then pairs of channels that are vectors.
/// Weights and running statistics hold one number per field.
typedef struct {
    long batch, scalars, vectors, pixels;
    const float *weight, *bias;              // [scalars]
    const float *vector_weight, *log_bias;   // [vectors]
    float epsilon;
    int activates;  // ReLU on scalars, v · relu(|v| − e^log_bias) / |v| on vectors
} ck_fields;

/// Moments over batch and pixels: scalars get mean and variance, vectors the mean of |v|²/2. Running values move by
/// `momentum` towards them (unbiased); with momentum < 0 they are only read.
/// statistics [2, scalars + vectors] = mean (0 for vectors) and 1/σ, of the batch for scalars and of the
/// running value for vectors, as the normalisation reads them.
void ck_field_statistics(ck_pool *pool, const ck_fields *fields, const float *x, float momentum,
                         float *running_mean, float *running_variance, float *vector_variance,
                         float *statistics);
/// y as x.
void ck_field_norm_forward(ck_pool *pool, const ck_fields *fields, const float *x,
                           const float *statistics, float *y);
/// dx as x and the gradients of the four parameters, all overwritten. With `of_batch` the scalar statistics are a
/// function of x.
void ck_field_norm_backward(ck_pool *pool, const ck_fields *fields, const float *x,
                            const float *dy, const float *statistics, int of_batch, float *dx,
                            float *dweight, float *dbias, float *dvector_weight, float *dlog_bias);

/// One block of a filter [outputs, inputs, taps] made of basis filters: from `in_fields` fields of `in_size` channels
/// to `out_fields` fields of `out_size` channels.
typedef struct {
    long out_start, out_fields, out_size, in_start, in_fields, in_size, elements;
    long weight_start, basis_start;
} ck_basis_block;

/// filter[o, i, t] += Σ_e weight[o field, i field, e] · basis[e, o part, i part, t].
void ck_basis_expand(const ck_basis_block *block, const float *weights, const float *basis,
                     long inputs, long taps, float *filter);
/// The adjoint: dweights of the block, overwritten.
void ck_basis_project(const ck_basis_block *block, const float *dfilter, const float *basis,
                      long inputs, long taps, float *dweights);
