// Elementwise kernels: one vectorised loop per operation. SPDX-License-Identifier: Apache-2.0
#include "ck_elementwise.h"

#include "ck_math.h"

typedef struct {
    ck_unary op;
    const float *x, *y, *dy;
    float *out;
    float p, q;
} unary_job;

#define EACH(expression)                        \
    for (long i = begin; i < end; i++) {        \
        float v = x[i];                         \
        out[i] = (expression);                  \
    }                                           \
    break

CK_KERNEL static void unary_range(void *raw, long begin, long end, int worker) {
    (void)worker;
    const unary_job *job = raw;
    const float *restrict x = job->x;
    float *restrict out = job->out;
    const float p = job->p, q = job->q;
    switch (job->op) {
        case CK_NEGATE: EACH(-v);
        case CK_EXP: EACH(ck_expf(v));
        case CK_LOG: EACH(logf(v));
        case CK_SQRT: EACH(sqrtf(v));
        case CK_RECIPROCAL: EACH(1.0f / v);
        case CK_SQUARE: EACH(v * v);
        case CK_ABS: EACH(fabsf(v));
        case CK_RELU: EACH(v > 0.0f ? v : 0.0f);
        case CK_SIGMOID: EACH(ck_sigmoidf(v));
        case CK_TANH: EACH(ck_tanhf(v));
        case CK_SILU: EACH(v * ck_sigmoidf(v));
        case CK_GELU_TANH:
            EACH(0.5f * v * (1.0f + ck_tanhf(0.7978845608028654f * (v + 0.044715f * v * v * v))));
        case CK_ADD_SCALAR: EACH(v + p);
        case CK_MULTIPLY_SCALAR: EACH(v * p);
        case CK_CLAMP: EACH(v < p ? p : (v > q ? q : v));
    }
}

#undef EACH
#define EACH(expression)                        \
    for (long i = begin; i < end; i++) {        \
        float v = x[i], w = y[i];               \
        (void)v;                                \
        (void)w;                                \
        out[i] = dy[i] * (expression);          \
    }                                           \
    break

CK_INLINE float silu_slope(float v) {
    float s = ck_sigmoidf(v);
    return s * (1.0f + v * (1.0f - s));
}

CK_INLINE float gelu_slope(float v) {
    float t = ck_tanhf(0.7978845608028654f * (v + 0.044715f * v * v * v));
    float inner = 0.7978845608028654f * (1.0f + 0.134145f * v * v);
    return 0.5f * (1.0f + t) + 0.5f * v * (1.0f - t * t) * inner;
}

CK_KERNEL static void unary_backward_range(void *raw, long begin, long end, int worker) {
    (void)worker;
    const unary_job *job = raw;
    const float *restrict x = job->x, *restrict y = job->y, *restrict dy = job->dy;
    float *restrict out = job->out;
    const float p = job->p, q = job->q;
    switch (job->op) {
        case CK_NEGATE: EACH(-1.0f);
        case CK_EXP: EACH(w);
        case CK_LOG: EACH(1.0f / v);
        case CK_SQRT: EACH(0.5f / w);
        case CK_RECIPROCAL: EACH(-w * w);
        case CK_SQUARE: EACH(2.0f * v);
        case CK_ABS: EACH(v > 0.0f ? 1.0f : (v < 0.0f ? -1.0f : 0.0f));
        case CK_RELU: EACH(v > 0.0f ? 1.0f : 0.0f);
        case CK_SIGMOID: EACH(w * (1.0f - w));
        case CK_TANH: EACH(1.0f - w * w);
        case CK_SILU: EACH(silu_slope(v));
        case CK_GELU_TANH: EACH(gelu_slope(v));
        case CK_ADD_SCALAR: EACH(1.0f);
        case CK_MULTIPLY_SCALAR: EACH(p);
        case CK_CLAMP: EACH(v < p || v > q ? 0.0f : 1.0f);
    }
}
#undef EACH

void ck_unary_f32(ck_pool *pool, ck_unary op, const float *x, float *y, long n, float p, float q) {
    unary_job job = {op, x, NULL, NULL, y, p, q};
    ck_parallel_for(pool, n, 16384, unary_range, &job);
}

void ck_unary_backward_f32(ck_pool *pool, ck_unary op, const float *x, const float *y,
                           const float *dy, float *dx, long n, float p, float q) {
    unary_job job = {op, x, y, dy, dx, p, q};
    ck_parallel_for(pool, n, 16384, unary_backward_range, &job);
}

typedef struct {
    ck_binary op;
    int dims;
    const long *shape, *as, *bs;
    const float *a, *b;
    float *out;
} binary_job;

#define LOOP(expression)                        \
    for (long i = 0; i < n; i++) {              \
        float u = a[i * sa], v = b[i * sb];     \
        out[i] = (expression);                  \
    }                                           \
    break

// Called with constant strides so that each copy vectorises.
CK_INLINE void binary_row(ck_binary op, const float *restrict a, long sa, const float *restrict b,
                          long sb, float *restrict out, long n) {
    switch (op) {
        case CK_ADD: LOOP(u + v);
        case CK_SUBTRACT: LOOP(u - v);
        case CK_MULTIPLY: LOOP(u * v);
        case CK_DIVIDE: LOOP(u / v);
        case CK_MAXIMUM: LOOP(u > v ? u : v);
        case CK_MINIMUM: LOOP(u < v ? u : v);
        case CK_GREATER: LOOP(u > v ? 1.0f : 0.0f);
        case CK_GREATER_EQUAL: LOOP(u >= v ? 1.0f : 0.0f);
    }
}
#undef LOOP

CK_KERNEL static void binary_rows(void *raw, long begin, long end, int worker) {
    (void)worker;
    const binary_job *job = raw;
    int last = job->dims - 1;
    long n = job->shape[last], sa = job->as[last], sb = job->bs[last];
    for (long row = begin; row < end; row++) {
        long rest = row, ao = 0, bo = 0;
        for (int d = last - 1; d >= 0; d--) {
            long i = rest % job->shape[d];
            rest /= job->shape[d];
            ao += i * job->as[d];
            bo += i * job->bs[d];
        }
        const float *a = job->a + ao, *b = job->b + bo;
        float *out = job->out + row * n;
        if (sa == 1 && sb == 1) binary_row(job->op, a, 1, b, 1, out, n);
        else if (sa == 1 && sb == 0) binary_row(job->op, a, 1, b, 0, out, n);
        else if (sa == 0 && sb == 1) binary_row(job->op, a, 0, b, 1, out, n);
        else binary_row(job->op, a, sa, b, sb, out, n);
    }
}

typedef struct {
    ck_binary op;
    const float *a, *b;
    float *out;
} flat_job;

CK_KERNEL static void binary_flat(void *raw, long begin, long end, int worker) {
    (void)worker;
    const flat_job *job = raw;
    binary_row(job->op, job->a + begin, 1, job->b + begin, 1, job->out + begin, end - begin);
}

void ck_binary_f32(ck_pool *pool, ck_binary op, int dims, const long *shape, const float *a,
                   const long *a_strides, const float *b, const long *b_strides, float *out) {
    if (dims == 1 && a_strides[0] == 1 && b_strides[0] == 1) {
        flat_job job = {op, a, b, out};
        ck_parallel_for(pool, shape[0], 16384, binary_flat, &job);
        return;
    }
    binary_job job = {op, dims, shape, a_strides, b_strides, a, b, out};
    long rows = 1;
    for (int d = 0; d < dims; d++) {
        if (shape[d] == 0) return;
        if (d < dims - 1) rows *= shape[d];
    }
    ck_parallel_for(pool, rows, 16384 / shape[dims - 1] + 1, binary_rows, &job);
}
