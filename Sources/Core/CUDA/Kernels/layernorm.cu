// Layer normalisation and gated residuals with branches in float32 or bfloat16. Bound by memory: every
// kernel reads and writes each row once. SPDX-License-Identifier: Apache-2.0

// MARK: Elements of either type

__device__ __forceinline__ float load1(const float *p) { return *p; }
__device__ __forceinline__ float load1(const uint16_t *p) { return from_bf16(*p); }
__device__ __forceinline__ void store1(float *p, float x) { *p = x; }
__device__ __forceinline__ void store1(uint16_t *p, float x) { *p = to_bf16(x); }

__device__ __forceinline__ float2 load2(const float *p) { return *(const float2 *)p; }
__device__ __forceinline__ float2 load2(const uint16_t *p) {
    const uint32_t v = *(const uint32_t *)p;
    return make_float2(__uint_as_float(v << 16), __uint_as_float(v & 0xffff0000u));
}
__device__ __forceinline__ void store2(float *p, float2 x) { *(float2 *)p = x; }
__device__ __forceinline__ void store2(uint16_t *p, float2 x) { *(uint32_t *)p = to_bf16x2(x.x, x.y); }

__device__ __forceinline__ float4 load4(const float *p) { return *(const float4 *)p; }
__device__ __forceinline__ float4 load4(const uint16_t *p) {
    const uint2 v = *(const uint2 *)p;
    return make_float4(__uint_as_float(v.x << 16), __uint_as_float(v.x & 0xffff0000u),
                       __uint_as_float(v.y << 16), __uint_as_float(v.y & 0xffff0000u));
}
__device__ __forceinline__ void store4(float *p, float4 x) { *(float4 *)p = x; }
__device__ __forceinline__ void store4(uint16_t *p, float4 x) {
    *(uint2 *)p = make_uint2(to_bf16x2(x.x, x.y), to_bf16x2(x.z, x.w));
}

// MARK: Layer normalisation

// y = x̂·(offset + gain) + shift, one row of gain and shift, `gain_row` apart, for `share` rows; without a gain
// the factor is 1. statistics [2][rows]. Eight warps a block, a row each: rows whose width is a multiple of 4
// and at most 128·V stay in registers, of others (V = 0) a warp reads its row for every pass.
template <int V, typename T>
__device__ __forceinline__ void normalize(const float *x, const float *gain, int64_t gain_row,
                                          float offset, const float *shift, int64_t shift_row, T *y,
                                          float *statistics, int rows, int width, int share,
                                          float epsilon) {
    const int r = blockIdx.x * 8 + threadIdx.x / 32, lane = threadIdx.x % 32;
    start_early();
    if (r >= rows) return;
    x += (int64_t)r * width;
    y += (int64_t)r * width;
    if (gain) gain += r / share * gain_row;
    if (shift) shift += r / share * shift_row;
    float mean, rstd, sum = 0, squares = 0;
    if (V > 0) {
        float4 values[V + 1], gains[V + 1], shifts[V + 1];
#pragma unroll
        for (int i = 0; i < V; i++) {
            const int at = (lane + 32 * i) * 4;
            values[i] = shifts[i] = make_float4(0, 0, 0, 0);
            gains[i] = make_float4(1, 1, 1, 1);
            if (at < width) values[i] = load4(x + at);
        }
        // Asked for before the sums are known, so that nobody waits for them then.
#pragma unroll
        for (int i = 0; i < V; i++) {
            const int at = (lane + 32 * i) * 4;
            if (at < width && gain) {
                gains[i] = load4(gain + at);
                gains[i].x += offset, gains[i].y += offset;
                gains[i].z += offset, gains[i].w += offset;
            }
            if (at < width && shift) shifts[i] = load4(shift + at);
            sum += (values[i].x + values[i].y) + (values[i].z + values[i].w);
        }
        mean = warp_sum(sum) / width;
#pragma unroll
        for (int i = 0; i < V; i++) {
            if ((lane + 32 * i) * 4 >= width) continue;
            float4 &v = values[i];
            v.x -= mean, v.y -= mean, v.z -= mean, v.w -= mean;
            squares += (v.x * v.x + v.y * v.y) + (v.z * v.z + v.w * v.w);
        }
        rstd = rsqrtf(warp_sum(squares) / width + epsilon);
#pragma unroll
        for (int i = 0; i < V; i++) {
            const int at = (lane + 32 * i) * 4;
            if (at >= width) continue;
            const float4 v = values[i], g = gains[i], b = shifts[i];
            store4(y + at, make_float4(v.x * rstd * g.x + b.x, v.y * rstd * g.y + b.y,
                                       v.z * rstd * g.z + b.z, v.w * rstd * g.w + b.w));
        }
    } else {
        for (int i = lane; i < width; i += 32) sum += x[i];
        mean = warp_sum(sum) / width;
        for (int i = lane; i < width; i += 32) squares += (x[i] - mean) * (x[i] - mean);
        rstd = rsqrtf(warp_sum(squares) / width + epsilon);
        for (int i = lane; i < width; i += 32)
            store1(y + i, (x[i] - mean) * rstd * (gain ? offset + gain[i] : 1.0f) +
                              (shift ? shift[i] : 0.0f));
    }
    if (lane == 0) {
        statistics[r] = mean;
        statistics[rows + r] = rstd;
    }
}

#define LAYER_NORM(V, NAME, T)                                                                     \
    extern "C" __global__ void __launch_bounds__(256) layer_norm_##NAME##_##V(                     \
        const float *x, const float *gain, int64_t gain_row, float offset, const float *shift,     \
        int64_t shift_row, T *y, float *statistics, int rows, int width, int share,                \
        float epsilon) {                                                                           \
        normalize<V>(x, gain, gain_row, offset, shift, shift_row, y, statistics, rows, width,      \
                     share, epsilon);                                                              \
    }
#define LAYER_NORMS(V)                                                                             \
    LAYER_NORM(V, f32, float)                                                                      \
    LAYER_NORM(V, bf16, uint16_t)

LAYER_NORMS(0)
LAYER_NORMS(1)
LAYER_NORMS(2)
LAYER_NORMS(3)
LAYER_NORMS(4)
LAYER_NORMS(6)
LAYER_NORMS(8)
LAYER_NORMS(12)
LAYER_NORMS(16)

// The rows of one part of one group of `share` rows.
__device__ __forceinline__ void rows_of_part(int share, int parts, int &begin, int &end) {
    const int64_t group = blockIdx.x / parts, part = blockIdx.x % parts;
    begin = (int)(group * share + share * part / parts);
    end = (int)(group * share + share * (part + 1) / parts);
}

// dx = rstd·(g − mean(g) − x̂·mean(g·x̂)) with g = dy·(offset + gain), plus what x has got before (may be null);
// sums [2][groups·parts][width]: of dy·x̂ and of dy over the part's rows. Width a multiple of 4, at most 128·V.
// Grid groups · parts, block 256: a warp a row, its columns' sums in registers until the end.
template <int V, typename T>
__device__ __forceinline__ void normalize_gradient(const T *dy, const float *x, const float *gain,
                                                   int64_t gain_row, float offset,
                                                   const float *statistics, const float *before,
                                                   float *dx, float *sums, int rows, int width,
                                                   int share, int parts) {
    __shared__ float scratch[2][8][128];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int begin, end;
    rows_of_part(share, parts, begin, end);
    if (gain) gain += blockIdx.x / parts * gain_row;
    float4 by_row[V], total[V];
#pragma unroll
    for (int i = 0; i < V; i++) by_row[i] = total[i] = make_float4(0, 0, 0, 0);
    for (int r = begin + warp; r < end; r += 8) {
        const float mean = statistics[r], rstd = statistics[rows + r];
        const int64_t start = (int64_t)r * width;
        float4 v[V], d[V];
        float sum = 0, product = 0;
#pragma unroll
        for (int i = 0; i < V; i++) {
            const int at = (lane + 32 * i) * 4;
            v[i] = make_float4(mean, mean, mean, mean);
            d[i] = make_float4(0, 0, 0, 0);
            if (at >= width) continue;
            v[i] = load4(x + start + at);
            d[i] = load4(dy + start + at);
        }
#pragma unroll
        for (int i = 0; i < V; i++) {
            const int at = (lane + 32 * i) * 4;
            if (at >= width) continue;
            float4 &h = v[i], &g = d[i], &s = total[i], &p = by_row[i];
            h.x = (h.x - mean) * rstd, h.y = (h.y - mean) * rstd;
            h.z = (h.z - mean) * rstd, h.w = (h.w - mean) * rstd;
            s.x += g.x, s.y += g.y, s.z += g.z, s.w += g.w;
            p.x += g.x * h.x, p.y += g.y * h.y, p.z += g.z * h.z, p.w += g.w * h.w;
            if (gain) {
                const float4 f = load4(gain + at);
                g.x *= offset + f.x, g.y *= offset + f.y, g.z *= offset + f.z, g.w *= offset + f.w;
            }
            sum += (g.x + g.y) + (g.z + g.w);
            product += (g.x * h.x + g.y * h.y) + (g.z * h.z + g.w * h.w);
        }
        const float a = warp_sum(sum) / width, b = warp_sum(product) / width;
#pragma unroll
        for (int i = 0; i < V; i++) {
            const int at = (lane + 32 * i) * 4;
            if (at >= width) continue;
            float4 out = make_float4(0, 0, 0, 0);
            if (before) out = load4(before + start + at);
            out.x += rstd * (d[i].x - a - v[i].x * b);
            out.y += rstd * (d[i].y - a - v[i].y * b);
            out.z += rstd * (d[i].z - a - v[i].z * b);
            out.w += rstd * (d[i].w - a - v[i].w * b);
            store4(dx + start + at, out);
        }
    }
    // Over the warps, in their order.
    const int which = threadIdx.x / 128, column = threadIdx.x % 128;
#pragma unroll
    for (int i = 0; i < V; i++) {
        __syncthreads();
        store4(&scratch[0][warp][lane * 4], by_row[i]);
        store4(&scratch[1][warp][lane * 4], total[i]);
        __syncthreads();
        float sum = 0;
#pragma unroll
        for (int w = 0; w < 8; w++) sum += scratch[which][w][column];
        if (i * 128 + column < width)
            sums[((int64_t)which * gridDim.x + blockIdx.x) * width + i * 128 + column] = sum;
    }
}

#define LAYER_NORM_GRADIENT(V, NAME, T)                                                            \
    extern "C" __global__ void __launch_bounds__(256) layer_norm_gradient_##NAME##_##V(            \
        const T *dy, const float *x, const float *gain, int64_t gain_row, float offset,            \
        const float *statistics, const float *before, float *dx, float *sums, int rows, int width, \
        int share, int parts) {                                                                    \
        normalize_gradient<V>(dy, x, gain, gain_row, offset, statistics, before, dx, sums, rows,   \
                              width, share, parts);                                                \
    }
#define LAYER_NORM_GRADIENTS(V)                                                                    \
    LAYER_NORM_GRADIENT(V, f32, float)                                                             \
    LAYER_NORM_GRADIENT(V, bf16, uint16_t)

LAYER_NORM_GRADIENTS(1)
LAYER_NORM_GRADIENTS(2)
LAYER_NORM_GRADIENTS(3)
LAYER_NORM_GRADIENTS(4)
LAYER_NORM_GRADIENTS(6)
LAYER_NORM_GRADIENTS(8)

// out [groups][width] = Σ parts [groups][parts][width], in order.
extern "C" __global__ void add_row_parts(const float *from, float *out, int groups, int parts,
                                         int width) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= (int64_t)groups * width) return;
    const float *own = from + at / width * parts * width + at % width;
    float sum = 0;
    for (int p = 0; p < parts; p++) sum += own[(int64_t)p * width];
    out[at] = sum;
}

// MARK: Gated residual

// y = x + branch · gate, one row of the gate, `gate_row` apart, for `share` rows.
template <typename T>
__device__ __forceinline__ void add_gated(const float *x, const T *branch, const float *gate,
                                          int64_t gate_row, float *y, int64_t count, int width,
                                          int share) {
    int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (width % 4 == 0 && gate_row % 4 == 0) {
        at *= 4;
        if (at >= count) return;
        const float4 a = load4(x + at), b = load4(branch + at);
        const float4 g = load4(gate + at / width / share * gate_row + at % width);
        store4(y + at, make_float4(a.x + b.x * g.x, a.y + b.y * g.y, a.z + b.z * g.z,
                                   a.w + b.w * g.w));
        return;
    }
    for (int i = 0; i < 4; i++) {
        const int64_t own = at + (int64_t)i * gridDim.x * blockDim.x;
        if (own < count)
            y[own] = x[own] + load1(branch + own) *
                                  gate[own / width / share * gate_row + own % width];
    }
}

// dbranch = dy · gate, and dgate [groups·parts][width] = Σ dy · branch. Grid (groups · parts, columns / 64),
// block 256: a lane two columns, or one after the other where the width is odd.
template <typename T>
__device__ __forceinline__ void add_gated_gradient(const float *dy, const T *branch,
                                                   const float *gate, int64_t gate_row, T *dbranch,
                                                   float *dgate, int width, int share, int parts) {
    __shared__ float2 scratch[8][32];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, column = blockIdx.y * 64 + 2 * lane;
    int begin, end;
    rows_of_part(share, parts, begin, end);
    gate += blockIdx.x / parts * gate_row;
    float2 sum = make_float2(0, 0);
    const bool first = column < width, second = column + 1 < width;
    const float2 g = make_float2(first ? gate[column] : 0.0f, second ? gate[column + 1] : 0.0f);
    if (width % 2 == 0) {
        if (first)
#pragma unroll 4
            for (int r = begin + warp; r < end; r += 8) {
                const int64_t at = (int64_t)r * width + column;
                const float2 d = load2(dy + at), b = load2(branch + at);
                store2(dbranch + at, make_float2(d.x * g.x, d.y * g.y));
                sum.x += d.x * b.x;
                sum.y += d.y * b.y;
            }
    } else {
        for (int r = begin + warp; r < end; r += 8) {
            const int64_t at = (int64_t)r * width + column;
            if (first) {
                sum.x += dy[at] * load1(branch + at);
                store1(dbranch + at, dy[at] * g.x);
            }
            if (second) {
                sum.y += dy[at + 1] * load1(branch + at + 1);
                store1(dbranch + at + 1, dy[at + 1] * g.y);
            }
        }
    }
    scratch[warp][lane] = sum;
    __syncthreads();
    if (warp != 0) return;
    for (int w = 1; w < 8; w++) {
        sum.x += scratch[w][lane].x;
        sum.y += scratch[w][lane].y;
    }
    if (first) dgate[(int64_t)blockIdx.x * width + column] = sum.x;
    if (second) dgate[(int64_t)blockIdx.x * width + column + 1] = sum.y;
}

#define GATED_RESIDUAL(NAME, T)                                                                    \
    extern "C" __global__ void gated_residual_##NAME(                                              \
        const float *x, const T *branch, const float *gate, int64_t gate_row, float *y,            \
        int64_t count, int width, int share) {                                                     \
        add_gated(x, branch, gate, gate_row, y, count, width, share);                              \
    }                                                                                              \
    extern "C" __global__ void gated_residual_gradient_##NAME(                                     \
        const float *dy, const T *branch, const float *gate, int64_t gate_row, T *dbranch,         \
        float *dgate, int width, int share, int parts) {                                           \
        add_gated_gradient(dy, branch, gate, gate_row, dbranch, dgate, width, share, parts);       \
    }

GATED_RESIDUAL(f32, float)
GATED_RESIDUAL(bf16, uint16_t)
