// Vectorisable elementary functions and the multiversioning mark. SPDX-License-Identifier: Apache-2.0
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

/// Marks a hot function to be built for AVX-512, AVX2 and the baseline; the loader picks one.
#if defined(__x86_64__)
#define CK_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_KERNEL
#endif
#define CK_INLINE static inline __attribute__((always_inline))

/// e^x to about 2 units in the last place; 0 below −87.3, the largest finite values above 88.3.
/// Written without branches so that loops over it vectorise; NaN in, NaN out.
CK_INLINE float ck_expf(float x) {
    const float low = -87.336544f, high = 88.3f;
    float clamped = x > high ? high : x;
    clamped = clamped < low ? low : clamped;
    float n = rintf(clamped * 1.44269504088896341f);
    // ln 2 in two parts keeps the reduced argument exact.
    float r = clamped - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    float value = p * r * r + r + 1.0f;
    int32_t bits = ((int32_t)n + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    value *= scale;
    return x < low ? 0.0f : value;
}

CK_INLINE float ck_sigmoidf(float x) { return 1.0f / (1.0f + ck_expf(-x)); }
/// tanh to about 1e-7 absolute.
CK_INLINE float ck_tanhf(float x) { return 1.0f - 2.0f / (ck_expf(2.0f * x) + 1.0f); }
