// The CUDA sources, embedded in the program. SPDX-License-Identifier: Apache-2.0
#include "ccuda.h"

#define CCUDA_TEXT(name) static const char name[]

CCUDA_TEXT(common) = {
#embed "../Core/CUDA/Kernels/common.cuh"
    , 0};
CCUDA_TEXT(tensorcore) = {
#embed "../Core/CUDA/Kernels/tensorcore.cuh"
    , 0};
CCUDA_TEXT(wgmma) = {
#embed "../Core/CUDA/Kernels/wgmma.cuh"
    , 0};
CCUDA_TEXT(elementwise) = {
#embed "../Core/CUDA/Kernels/elementwise.cu"
    , 0};
CCUDA_TEXT(reductions) = {
#embed "../Core/CUDA/Kernels/reductions.cu"
    , 0};
CCUDA_TEXT(optimizers) = {
#embed "../Core/CUDA/Kernels/optimizers.cu"
    , 0};
CCUDA_TEXT(convolution) = {
#embed "../Core/CUDA/Kernels/convolution.cu"
    , 0};
CCUDA_TEXT(convolution_f32) = {
#embed "../Core/CUDA/Kernels/convolution_f32.cu"
    , 0};
CCUDA_TEXT(normalization) = {
#embed "../Core/CUDA/Kernels/normalization.cu"
    , 0};
CCUDA_TEXT(attention_header) = {
#embed "../Core/CUDA/Kernels/attention.cuh"
    , 0};
CCUDA_TEXT(attention) = {
#embed "../Core/CUDA/Kernels/attention.cu"
    , 0};
CCUDA_TEXT(attention_bf16_header) = {
#embed "../Core/CUDA/Kernels/attention_bf16.cuh"
    , 0};
CCUDA_TEXT(attention_bf16) = {
#embed "../Core/CUDA/Kernels/attention_bf16.cu"
    , 0};
CCUDA_TEXT(attention_gradient_bf16) = {
#embed "../Core/CUDA/Kernels/attention_gradient_bf16.cu"
    , 0};
CCUDA_TEXT(layernorm) = {
#embed "../Core/CUDA/Kernels/layernorm.cu"
    , 0};
CCUDA_TEXT(softmax) = {
#embed "../Core/CUDA/Kernels/softmax.cu"
    , 0};
CCUDA_TEXT(rows) = {
#embed "../Core/CUDA/Kernels/rows.cu"
    , 0};
CCUDA_TEXT(planes) = {
#embed "../Core/CUDA/Kernels/planes.cu"
    , 0};
CCUDA_TEXT(fields) = {
#embed "../Core/CUDA/Kernels/fields.cu"
    , 0};

CCUDA_TEXT(sampling) = {
#embed "../Core/CUDA/Kernels/sampling.cu"
    , 0};
CCUDA_TEXT(attention_sm90_header) = {
#embed "../Core/CUDA/Kernels/attention_sm90.cuh"
    , 0};
CCUDA_TEXT(attention_gradient_sm90) = {
#embed "../Core/CUDA/Kernels/attention_gradient_sm90.cu"
    , 0};
CCUDA_TEXT(attention_sm90) = {
#embed "../Core/CUDA/Kernels/attention_sm90.cu"
    , 0};

CCUDA_TEXT(skinny) = {
#embed "../Core/CUDA/Kernels/skinny.cu"
    , 0};
CCUDA_TEXT(convolution_wgmma) = {
#embed "../Core/CUDA/Kernels/convolution_wgmma.cu"
    , 0};
CCUDA_TEXT(channels_last) = {
#embed "../Core/CUDA/Kernels/channels_last.cu"
    , 0};

const char *ccuda_source(ccuda_source_name name) {
    switch (name) {
    case CCUDA_SOURCE_COMMON: return common;
    case CCUDA_SOURCE_TENSORCORE: return tensorcore;
    case CCUDA_SOURCE_WGMMA: return wgmma;
    case CCUDA_SOURCE_ATTENTION_SM90_HEADER: return attention_sm90_header;
    case CCUDA_SOURCE_ATTENTION_GRADIENT_SM90: return attention_gradient_sm90;
    case CCUDA_SOURCE_ATTENTION_SM90: return attention_sm90;
    case CCUDA_SOURCE_ELEMENTWISE: return elementwise;
    case CCUDA_SOURCE_REDUCTIONS: return reductions;
    case CCUDA_SOURCE_OPTIMIZERS: return optimizers;
    case CCUDA_SOURCE_CONVOLUTION: return convolution;
    case CCUDA_SOURCE_CONVOLUTION_F32: return convolution_f32;
    case CCUDA_SOURCE_NORMALIZATION: return normalization;
    case CCUDA_SOURCE_ATTENTION_HEADER: return attention_header;
    case CCUDA_SOURCE_ATTENTION: return attention;
    case CCUDA_SOURCE_ATTENTION_BF16_HEADER: return attention_bf16_header;
    case CCUDA_SOURCE_ATTENTION_BF16: return attention_bf16;
    case CCUDA_SOURCE_ATTENTION_GRADIENT_BF16: return attention_gradient_bf16;
    case CCUDA_SOURCE_LAYERNORM: return layernorm;
    case CCUDA_SOURCE_SOFTMAX: return softmax;
    case CCUDA_SOURCE_ROWS: return rows;
    case CCUDA_SOURCE_PLANES: return planes;
    case CCUDA_SOURCE_FIELDS: return fields;
    case CCUDA_SOURCE_SAMPLING: return sampling;
    case CCUDA_SOURCE_SKINNY: return skinny;
    case CCUDA_SOURCE_CONVOLUTION_WGMMA: return convolution_wgmma;
    case CCUDA_SOURCE_CHANNELS_LAST: return channels_last;
    }
    return "";
}
