// Matrix products. The operand with fewer rows or columns is packed once so that its index runs
// along vectors; the other is read where it lies, one scalar at a time, so that large weights are
// never copied.
// SPDX-License-Identifier: Apache-2.0
#include "ck_gemm.h"

#include <stdlib.h>
#include <string.h>

#include "ck_math.h"
#include "ck_micro.h"

enum { VECTOR_BLOCK = 192, SCALAR_BLOCK = 64, DEPTH_BLOCK = 512 };
enum { SCALARS = 0, SUMS = 1 };  // scratch slots

typedef struct {
    long vectors, scalars, depth;  // extents
    const float *v, *s;            // operands: v is packed, s is broadcast
    long v_step, v_depth;          // strides of v along vectors and along the sum
    long s_step, s_depth;
    float *c;
    long c_vector, c_scalar;       // strides of C; one of them is 1
    float *packed;                 // [vector block][depth][width]
    long blocks, chunks, chunk;
    int accumulate;
} gemm_job;

static long block_width(const gemm_job *job, long block) {
    long rest = job->vectors - block * VECTOR_BLOCK;
    return rest < VECTOR_BLOCK ? CK_ROUND_UP(rest) : VECTOR_BLOCK;
}

CK_KERNEL static void pack_dense(const float *v, long v_depth, long count, long width, long depth,
                                 float *out) {
    for (long k = 0; k < depth; k++) {
        const float *row = v + k * v_depth;
        float *to = out + k * width;
        for (long i = 0; i < count; i++) to[i] = row[i];
        for (long i = count; i < width; i++) to[i] = 0;
    }
}

// v[i·step + k] → out[k·width + i], 16 × 16 at a time.
CK_KERNEL static void pack_transposed(const float *v, long step, long count, long width, long depth,
                                      float *out) {
    for (long i = 0; i < width; i += 16) {
        long rows = count - i < 16 ? (count - i > 0 ? count - i : 0) : 16;
        long k = 0;
        for (; k + 16 <= depth; k += 16) {
            float block[16][16];
            if (rows < 16) memset(block, 0, sizeof block);
            for (long r = 0; r < rows; r++)
                for (long t = 0; t < 16; t++) block[t][r] = v[(i + r) * step + k + t];
            for (long t = 0; t < 16; t++)
                for (long r = 0; r < 16; r++) out[(k + t) * width + i + r] = block[t][r];
        }
        for (; k < depth; k++)
            for (long r = 0; r < 16; r++)
                out[k * width + i + r] = r < rows ? v[(i + r) * step + k] : 0;
    }
}

// A task is 64 steps of the sum of one block.
static void pack_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gemm_job *job = raw;
    long parts = (job->depth + 63) / 64;
    for (long task = begin; task < end; task++) {
        long block = task / parts, k = task % parts * 64;
        long depth = job->depth - k < 64 ? job->depth - k : 64;
        long width = block_width(job, block), first = block * VECTOR_BLOCK;
        long count = job->vectors - first < width ? job->vectors - first : width;
        const float *v = job->v + first * job->v_step + k * job->v_depth;
        float *out = job->packed + first * job->depth + k * width;
        if (job->v_step == 1) pack_dense(v, job->v_depth, count, width, depth, out);
        else if (job->v_depth == 1) pack_transposed(v, job->v_step, count, width, depth, out);
        else
            for (long t = 0; t < depth; t++)
                for (long i = 0; i < width; i++)
                    out[t * width + i] =
                        i < count ? v[i * job->v_step + t * job->v_depth] : 0;
    }
}

// sums [scalars][width] → C, where vectors run along rows of C (c_vector = 1) or along columns.
CK_KERNEL static void store_sums(const float *sums, long width, long vectors, long scalars,
                                 float *c, long c_vector, long c_scalar) {
    if (c_vector == 1) {
        for (long s = 0; s < scalars; s++)
            for (long v = 0; v < vectors; v++) c[s * c_scalar + v] = sums[s * width + v];
        return;
    }
    for (long v0 = 0; v0 < vectors; v0 += 16) {
        long stop = v0 + 16 < vectors ? v0 + 16 : vectors;
        for (long v = v0; v < stop; v++)
            for (long s = 0; s < scalars; s++)
                c[v * c_vector + s * c_scalar] = sums[s * width + v];
    }
}

CK_KERNEL static void load_sums(float *sums, long width, long vectors, long scalars,
                                const float *c, long c_vector, long c_scalar) {
    for (long s = 0; s < scalars; s++) {
        for (long v = 0; v < vectors; v++)
            sums[s * width + v] = c[v * c_vector + s * c_scalar];
        for (long v = vectors; v < width; v++) sums[s * width + v] = 0;
    }
}

CK_KERNEL static void pack_scalars(const float *s, long step, long depth_stride, long count,
                                   long depth, float *out) {
    // Panels of 8 rows, the sum's steps in order: the product reads them front to back.
    if (step == 1 && count % 8 == 0) {
        for (long k = 0; k < depth; k++)
            for (long i = 0; i < count; i += 8)
                for (long r = 0; r < 8; r++)
                    out[i * depth + k * 8 + r] = s[k * depth_stride + i + r];
        return;
    }
    for (long i = 0; i < count; i += 8)
        for (long k = 0; k < depth; k++)
            for (long r = 0; r < 8; r++)
                out[i * depth + k * 8 + r] =
                    i + r < count ? s[(i + r) * step + k * depth_stride] : 0;
}

static void product_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gemm_job *job = raw;
    for (long task = begin; task < end; task++) {
        long block = task % job->blocks, first = task / job->blocks * job->chunk;
        long scalars = job->scalars - first < job->chunk ? job->scalars - first : job->chunk;
        long at = block * VECTOR_BLOCK, width = block_width(job, block);
        long vectors = job->vectors - at < width ? job->vectors - at : width;
        float *c = job->c + at * job->c_vector + first * job->c_scalar;
        int direct = job->c_vector == 1 && vectors == width;
        float *sums = direct ? c : ck_scratch(SUMS, job->chunk * VECTOR_BLOCK);
        long ldc = direct ? job->c_scalar : width;
        if (!direct && job->accumulate)
            load_sums(sums, width, vectors, scalars, c, job->c_vector, job->c_scalar);
        for (long k = 0; k < job->depth; k += DEPTH_BLOCK) {
            long depth = job->depth - k < DEPTH_BLOCK ? job->depth - k : DEPTH_BLOCK;
            const float *s = job->s + first * job->s_step + k * job->s_depth;
            const float *v = job->packed + at * job->depth + k * width;
            int accumulate = job->accumulate || k > 0;
            if (job->s_depth == 1) {
                ck_product(scalars, width, depth, s, job->s_step, 1, v, width, sums, ldc,
                           accumulate);
                continue;
            }
            float *panels = ck_scratch(SCALARS, SCALAR_BLOCK * DEPTH_BLOCK);
            pack_scalars(s, job->s_step, job->s_depth, scalars, depth, panels);
            for (long i = 0; i < scalars; i += 8)
                ck_product(scalars - i < 8 ? scalars - i : 8, width, depth, panels + i * depth, 1,
                           8, v, width, sums + i * ldc, ldc, accumulate);
        }
        if (!direct) store_sums(sums, width, vectors, scalars, c, job->c_vector, job->c_scalar);
    }
}

void ck_gemm(ck_pool *pool, long m, long n, long k, const float *a, long a_row, long a_column,
             const float *b, long b_row, long b_column, float *c, long ldc, int accumulate) {
    if (m == 0 || n == 0) return;
    if (k == 0) {
        if (!accumulate)
            for (long i = 0; i < m; i++) memset(c + i * ldc, 0, sizeof(float) * (size_t)n);
        return;
    }
    gemm_job job = {.depth = k, .c = c, .accumulate = accumulate};
    if (n <= m) {
        job.vectors = n, job.v = b, job.v_step = b_column, job.v_depth = b_row;
        job.scalars = m, job.s = a, job.s_step = a_row, job.s_depth = a_column;
        job.c_vector = 1, job.c_scalar = ldc;
    } else {
        job.vectors = m, job.v = a, job.v_step = a_row, job.v_depth = a_column;
        job.scalars = n, job.s = b, job.s_step = b_column, job.s_depth = b_row;
        job.c_vector = ldc, job.c_scalar = 1;
    }
    job.blocks = (job.vectors + VECTOR_BLOCK - 1) / VECTOR_BLOCK;
    // Chunks small enough that every worker gets several.
    long threads = pool ? ck_pool_threads(pool) : 1;
    job.chunk = SCALAR_BLOCK;
    while (job.chunk > 16 &&
           job.blocks * ((job.scalars + job.chunk - 1) / job.chunk) < 4 * threads)
        job.chunk /= 2;
    job.chunks = (job.scalars + job.chunk - 1) / job.chunk;
    int is_small = (double)m * (double)n * (double)k < 1.5e6;
    if (is_small) pool = NULL;
    job.packed = ck_allocate(job.blocks * VECTOR_BLOCK * k * (long)sizeof(float));
    ck_parallel_for(pool, job.blocks * ((k + 63) / 64), 4, pack_body, &job);
    ck_parallel_for(pool, job.blocks * job.chunks, 1, product_body, &job);
    free(job.packed);
}

int ck_gemm_is_preferred(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v4") != 0;
#else
    return 0;
#endif
}
