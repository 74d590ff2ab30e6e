// Strided copies and conversions. SPDX-License-Identifier: Apache-2.0
#include "ck_memory.h"

#include "ck_math.h"
#include "ck_widen.h"

typedef struct {
    int dims, width, add;
    const long *shape, *ss, *ds;
    const char *source;
    char *destination;
} strided_job;

// One row along the last dimension. Constant widths let the compiler vectorise the common cases.
CK_INLINE void copy_row(const char *s, long ss, char *d, long ds, long n, int width) {
    if (ss == 1 && ds == 1) {
        memcpy(d, s, (size_t)(n * width));
        return;
    }
    switch (width) {
        case 4:
            for (long i = 0; i < n; i++) ((uint32_t *)d)[i * ds] = ((const uint32_t *)s)[i * ss];
            break;
        case 2:
            for (long i = 0; i < n; i++) ((uint16_t *)d)[i * ds] = ((const uint16_t *)s)[i * ss];
            break;
        case 8:
            for (long i = 0; i < n; i++) ((uint64_t *)d)[i * ds] = ((const uint64_t *)s)[i * ss];
            break;
        default:
            for (long i = 0; i < n; i++) d[i * ds] = s[i * ss];
    }
}

static void strided_rows(void *raw, long begin, long end, int worker) {
    (void)worker;
    const strided_job *job = raw;
    int last = job->dims - 1;
    for (long row = begin; row < end; row++) {
        long rest = row, so = 0, dof = 0;
        for (int d = last - 1; d >= 0; d--) {
            long i = rest % job->shape[d];
            rest /= job->shape[d];
            so += i * job->ss[d];
            dof += i * job->ds[d];
        }
        const char *s = job->source + so * job->width;
        char *d = job->destination + dof * job->width;
        long n = job->shape[last];
        if (job->add) {
            const float *sf = (const float *)s;
            float *df = (float *)d;
            long a = job->ss[last], b = job->ds[last];
            if (a == 1 && b == 1) {
                for (long i = 0; i < n; i++) df[i] += sf[i];
            } else {
                for (long i = 0; i < n; i++) df[i * b] += sf[i * a];
            }
        } else {
            copy_row(s, job->ss[last], d, job->ds[last], n, job->width);
        }
    }
}

static void run_strided(ck_pool *pool, strided_job *job) {
    static const long one = 1, zero = 0;
    if (job->dims == 0) {
        job->dims = 1;
        job->shape = &one;
        job->ss = &zero;
        job->ds = &zero;
    }
    long rows = 1;
    for (int d = 0; d < job->dims; d++) {
        if (job->shape[d] == 0) return;
        if (d < job->dims - 1) rows *= job->shape[d];
    }
    long length = job->shape[job->dims - 1];
    long grain = 16384 / (length > 0 ? length : 1) + 1;
    ck_parallel_for(pool, rows, grain, strided_rows, job);
}

void ck_copy_strided(ck_pool *pool, int dims, const long *shape, const void *source,
                     const long *source_strides, void *destination, const long *destination_strides,
                     int width) {
    strided_job job = {dims, width, 0, shape, source_strides, destination_strides, source, destination};
    run_strided(pool, &job);
}

void ck_add_strided(ck_pool *pool, int dims, const long *shape, const float *source,
                    const long *source_strides, float *destination, const long *destination_strides) {
    strided_job job = {dims, 4, 1, shape, source_strides, destination_strides, (const char *)source,
                       (char *)destination};
    run_strided(pool, &job);
}

void ck_fill_f32(float *destination, long n, float value) {
    for (long i = 0; i < n; i++) destination[i] = value;
}

typedef struct {
    const void *source;
    void *destination;
} conversion;

CK_INLINE uint16_t float_to_half(float f) {
    uint32_t bits;
    memcpy(&bits, &f, 4);
    uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude >= 0x47800000u) {  // 65536 and above, infinities, NaN
        uint16_t nan = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
        return (uint16_t)(sign | nan);
    }
    if (magnitude < 0x38800000u) {  // subnormal half: let the adder round
        float value, magic = 0.5f;
        memcpy(&value, &magnitude, 4);
        value += magic;
        uint32_t rounded;
        memcpy(&rounded, &value, 4);
        return (uint16_t)(sign | (rounded - 0x3f000000u));
    }
    uint32_t odd = (magnitude >> 13) & 1u;
    magnitude += 0xc8000fffu + odd;  // rebias by 112 and round to nearest even
    return (uint16_t)(sign | (magnitude >> 13));
}

CK_KERNEL static void f16_to_f32(void *raw, long begin, long end, int worker) {
    (void)worker;
    const conversion *c = raw;
    const uint16_t *s = c->source;
    float *d = c->destination;
    for (long i = begin; i < end; i++) d[i] = ck_half_to_float(s[i]);
}

CK_KERNEL static void f32_to_f16(void *raw, long begin, long end, int worker) {
    (void)worker;
    const conversion *c = raw;
    const float *s = c->source;
    uint16_t *d = c->destination;
    for (long i = begin; i < end; i++) d[i] = float_to_half(s[i]);
}

CK_KERNEL static void bf16_to_f32(void *raw, long begin, long end, int worker) {
    (void)worker;
    const conversion *c = raw;
    const uint16_t *s = c->source;
    uint32_t *d = c->destination;
    for (long i = begin; i < end; i++) d[i] = (uint32_t)s[i] << 16;
}

CK_KERNEL static void f32_to_bf16(void *raw, long begin, long end, int worker) {
    (void)worker;
    const conversion *c = raw;
    const uint32_t *s = c->source;
    uint16_t *d = c->destination;
    for (long i = begin; i < end; i++) {
        uint32_t bits = s[i];
        uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
        d[i] = (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded);
    }
}

void ck_f16_to_f32(ck_pool *pool, const uint16_t *source, float *destination, long n) {
    conversion c = {source, destination};
    ck_parallel_for(pool, n, 32768, f16_to_f32, &c);
}

void ck_f32_to_f16(ck_pool *pool, const float *source, uint16_t *destination, long n) {
    conversion c = {source, destination};
    ck_parallel_for(pool, n, 32768, f32_to_f16, &c);
}

void ck_bf16_to_f32(ck_pool *pool, const uint16_t *source, float *destination, long n) {
    conversion c = {source, destination};
    ck_parallel_for(pool, n, 32768, bf16_to_f32, &c);
}

void ck_f32_to_bf16(ck_pool *pool, const float *source, uint16_t *destination, long n) {
    conversion c = {source, destination};
    ck_parallel_for(pool, n, 32768, f32_to_bf16, &c);
}
