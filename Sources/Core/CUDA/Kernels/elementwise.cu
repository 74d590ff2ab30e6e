// Elementwise kernels, strided copies and conversions on CUDA. SPDX-License-Identifier: Apache-2.0
//
// All are bound by memory: 16 bytes a thread where addresses allow it.

__device__ __forceinline__ bool aligned16(const void* a, const void* b, const void* c) {
    return (((uint64_t)a | (uint64_t)b | (uint64_t)c) & 15) == 0;
}

__device__ __forceinline__ float sigmoid(float v) { return 1.0f / (1.0f + expf(-v)); }

// y[i] = f(x[i]); blocks stride over the whole array.
template <typename F>
__device__ __forceinline__ void map1(const float* x, float* y, int64_t n, F f) {
    start_early();
    const int64_t first = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    int64_t done = 0;
    if (aligned16(x, y, 0)) {
        for (int64_t i = first; i < n / 4; i += step) {
            float4 v = ((const float4*)x)[i];
            v.x = f(v.x), v.y = f(v.y), v.z = f(v.z), v.w = f(v.w);
            ((float4*)y)[i] = v;
        }
        done = n / 4 * 4;
    }
    for (int64_t i = done + first; i < n; i += step) y[i] = f(x[i]);
}

// y[i] = f(a[i], b[i]).
template <typename F>
__device__ __forceinline__ void map2(const float* a, const float* b, float* y, int64_t n, F f) {
    start_early();
    const int64_t first = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    int64_t done = 0;
    if (aligned16(a, b, y)) {
        for (int64_t i = first; i < n / 4; i += step) {
            const float4 u = ((const float4*)a)[i], v = ((const float4*)b)[i];
            ((float4*)y)[i] = make_float4(f(u.x, v.x), f(u.y, v.y), f(u.z, v.z), f(u.w, v.w));
        }
        done = n / 4 * 4;
    }
    for (int64_t i = done + first; i < n; i += step) y[i] = f(a[i], b[i]);
}

// dx[i] = dy[i] · f(x[i], y[i]).
template <typename F>
__device__ __forceinline__ void map3(
    const float* x, const float* y, const float* dy, float* dx, int64_t n, F f) {
    const int64_t first = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    int64_t done = 0;
    if (aligned16(x, y, dy) && aligned16(dx, 0, 0)) {
        for (int64_t i = first; i < n / 4; i += step) {
            const float4 u = ((const float4*)x)[i], v = ((const float4*)y)[i];
            float4 g = ((const float4*)dy)[i];
            g.x *= f(u.x, v.x), g.y *= f(u.y, v.y), g.z *= f(u.z, v.z), g.w *= f(u.w, v.w);
            ((float4*)dx)[i] = g;
        }
        done = n / 4 * 4;
    }
    for (int64_t i = done + first; i < n; i += step) dx[i] = dy[i] * f(x[i], y[i]);
}

// A function of v with parameters p and q, and its slope from v and w = f(v).
#define UNARY(name, value, slope)                                                                  \
    extern "C" __global__ void unary_##name(                                                       \
        const float* x, float* y, int64_t n, float p, float q) {                                   \
        map1(x, y, n, [=](float v) -> float { return value; });                                    \
    }                                                                                              \
    extern "C" __global__ void unary_gradient_##name(                                              \
        const float* x, const float* y, const float* dy, float* dx, int64_t n, float p, float q) { \
        map3(x, y, dy, dx, n, [=](float v, float w) -> float { return slope; });                   \
    }

__device__ __forceinline__ float gelu(float v) {
    return 0.5f * v * (1.0f + tanhf(0.7978845608028654f * (v + 0.044715f * v * v * v)));
}

__device__ __forceinline__ float gelu_slope(float v) {
    const float c = 0.7978845608028654f;
    const float t = tanhf(c * (v + 0.044715f * v * v * v));
    return 0.5f * (1.0f + t) + 0.5f * v * (1.0f - t * t) * c * (1.0f + 0.134145f * v * v);
}

__device__ __forceinline__ float silu_slope(float v) {
    const float s = sigmoid(v);
    return s * (1.0f + v * (1.0f - s));
}

UNARY(negate, -v, -1.0f)
UNARY(exp, expf(v), w)
UNARY(log, logf(v), 1.0f / v)
UNARY(sqrt, sqrtf(v), 0.5f / w)
UNARY(reciprocal, 1.0f / v, -w * w)
UNARY(square, v * v, 2.0f * v)
UNARY(abs, fabsf(v), v > 0.0f ? 1.0f : (v < 0.0f ? -1.0f : 0.0f))
UNARY(relu, v > 0.0f ? v : 0.0f, v > 0.0f ? 1.0f : 0.0f)
UNARY(sigmoid, sigmoid(v), w * (1.0f - w))
UNARY(tanh, tanhf(v), 1.0f - w * w)
UNARY(silu, v * sigmoid(v), silu_slope(v))
UNARY(geluTanh, gelu(v), gelu_slope(v))
UNARY(addScalar, v + p, 1.0f)
UNARY(multiplyScalar, v * p, p)
UNARY(clamp, v < p ? p : (v > q ? q : v), v < p || v > q ? 0.0f : 1.0f)

// Up to six dimensions, outermost first; the unused ones have extent 1.
#define EXTENTS uint32_t n1, uint32_t n2, uint32_t n3, uint32_t n4, uint32_t n5
#define STRIDES(a)                                                                                 \
    int64_t a##0, int64_t a##1, int64_t a##2, int64_t a##3, int64_t a##4, int64_t a##5

// The position along every dimension of the i-th element. Leading dimensions of extent 1 cost a
// comparison, not a division.
#define POSITIONS(i)                                                                               \
    uint32_t rest = (uint32_t)(i), i5 = 0, i4 = 0, i3 = 0, i2 = 0, i1 = 0;                         \
    if (n5 > 1) { const uint32_t t = rest / n5; i5 = rest - t * n5; rest = t; }                    \
    if (n4 > 1) { const uint32_t t = rest / n4; i4 = rest - t * n4; rest = t; }                    \
    if (n3 > 1) { const uint32_t t = rest / n3; i3 = rest - t * n3; rest = t; }                    \
    if (n2 > 1) { const uint32_t t = rest / n2; i2 = rest - t * n2; rest = t; }                    \
    if (n1 > 1) { const uint32_t t = rest / n1; i1 = rest - t * n1; rest = t; }                    \
    const uint32_t i0 = rest

#define ADDRESS(a) (i0 * a##0 + i1 * a##1 + i2 * a##2 + i3 * a##3 + i4 * a##4 + i5 * a##5)

#define BINARY(name, expression)                                                                   \
    extern "C" __global__ void binary_##name(                                                      \
        const float* a, const float* b, float* y, int64_t n) {                                     \
        map2(a, b, y, n, [](float u, float v) -> float { return expression; });                    \
    }                                                                                              \
    extern "C" __global__ void binary_strided_##name(                                              \
        const float* a, const float* b, float* y, int64_t n, EXTENTS, STRIDES(a), STRIDES(b)) {    \
        start_early();                                                                             \
        const int64_t step = (int64_t)gridDim.x * blockDim.x;                                      \
        for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {       \
            POSITIONS(i);                                                                          \
            const float u = a[ADDRESS(a)], v = b[ADDRESS(b)];                                      \
            y[i] = expression;                                                                     \
        }                                                                                          \
    }

BINARY(add, u + v)
BINARY(subtract, u - v)
BINARY(multiply, u * v)
BINARY(divide, u / v)
BINARY(maximum, u > v ? u : v)
BINARY(minimum, u < v ? u : v)
BINARY(greater, u > v ? 1.0f : 0.0f)
BINARY(greaterOrEqual, u >= v ? 1.0f : 0.0f)

template <typename T>
__device__ __forceinline__ void copy_strided(
    const T* x, T* y, int64_t n, EXTENTS, STRIDES(a), STRIDES(b)) {
    start_early();
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
        POSITIONS(i);
        y[ADDRESS(b)] = x[ADDRESS(a)];
    }
}

#define COPY(bytes, type)                                                                          \
    extern "C" __global__ void copy_strided_##bytes(                                               \
        const type* x, type* y, int64_t n, EXTENTS, STRIDES(a), STRIDES(b)) {                      \
        copy_strided<type>(                                                                        \
            x, y, n, n1, n2, n3, n4, n5, a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5);          \
    }

COPY(1, uint8_t)
COPY(2, uint16_t)
COPY(4, uint32_t)
COPY(8, uint64_t)
COPY(16, uint4)

// The last two dimensions exchanged through shared memory: x [batch, rows, columns] with row stride
// `leading` → y [batch, columns, rows], dense.
extern "C" __global__ void transpose_4(
    const uint32_t* x, uint32_t* y, int rows, int columns, int64_t leading, int64_t x_batch) {
    __shared__ uint32_t tile[32][33];
    start_early();
    x += (int64_t)blockIdx.z * x_batch;
    y += (int64_t)blockIdx.z * rows * columns;
    const int c = blockIdx.x * 32 + threadIdx.x, r = blockIdx.y * 32 + threadIdx.x;
    for (int i = threadIdx.y; i < 32; i += 8) {
        const int row = blockIdx.y * 32 + i;
        if (row < rows && c < columns) tile[i][threadIdx.x] = x[row * leading + c];
    }
    __syncthreads();
    for (int i = threadIdx.y; i < 32; i += 8) {
        const int column = blockIdx.x * 32 + i;
        if (column < columns && r < rows) y[(int64_t)column * rows + r] = tile[threadIdx.x][i];
    }
}

extern "C" __global__ void add_into(const float* x, float* y, int64_t n) {
    map2(x, y, y, n, [](float u, float v) { return u + v; });
}

extern "C" __global__ void add_strided_1(
    const float* x, float* y, int64_t n, EXTENTS, STRIDES(a), STRIDES(b)) {
    start_early();
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
        POSITIONS(i);
        y[ADDRESS(b)] += x[ADDRESS(a)];
    }
}

extern "C" __global__ void add_strided_4(
    const float4* x, float4* y, int64_t n, EXTENTS, STRIDES(a), STRIDES(b)) {
    start_early();
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
        POSITIONS(i);
        const float4 u = x[ADDRESS(a)];
        float4 v = y[ADDRESS(b)];
        v.x += u.x, v.y += u.y, v.z += u.z, v.w += u.w;
        y[ADDRESS(b)] = v;
    }
}

// MARK: Conversions

// The hot one: eight elements a thread.
extern "C" __global__ void cast_bf16(const float* x, uint16_t* y, int64_t n) {
    start_early();
    const int64_t first = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    int64_t done = 0;
    if (aligned16(x, y, 0)) {
        for (int64_t i = first; i < n / 8; i += step) {
            const float4 u = ((const float4*)x)[2 * i], v = ((const float4*)x)[2 * i + 1];
            ((uint4*)y)[i] = make_uint4(
                to_bf16x2(u.x, u.y), to_bf16x2(u.z, u.w), to_bf16x2(v.x, v.y),
                to_bf16x2(v.z, v.w));
        }
        done = n / 8 * 8;
    }
    for (int64_t i = done + first; i < n; i += step) y[i] = to_bf16(x[i]);
}

__device__ __forceinline__ float from_f16(uint16_t x) {
    float r;
    asm("{ .reg .f16 h; mov.b16 h, %1; cvt.f32.f16 %0, h; }" : "=f"(r) : "h"(x));
    return r;
}

__device__ __forceinline__ uint16_t to_f16(float x) {
    uint16_t r;
    asm("{ .reg .f16 h; cvt.rn.f16.f32 h, %1; mov.b16 %0, h; }" : "=h"(r) : "f"(x));
    return r;
}

enum { F32, F16, BF16, I32, I64, U8 };

// Float to integer truncates; what does not fit becomes 0, as on the CPU.
__device__ __forceinline__ int64_t truncated(float v, float low, float high) {
    const float t = truncf(v);
    return t >= low && t < high ? (int64_t)t : 0;
}

extern "C" __global__ void cast_any(const void* x, void* y, int64_t n, int from, int to) {
    start_early();
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
        float real = 0;
        int64_t whole = 0;
        switch (from) {
        case F32: real = ((const float*)x)[i]; break;
        case F16: real = from_f16(((const uint16_t*)x)[i]); break;
        case BF16: real = from_bf16(((const uint16_t*)x)[i]); break;
        case I32: whole = ((const int32_t*)x)[i]; break;
        case I64: whole = ((const int64_t*)x)[i]; break;
        case U8: whole = ((const uint8_t*)x)[i]; break;
        }
        const bool is_whole = from >= I32;
        if (is_whole) real = (float)whole;
        switch (to) {
        case F32: ((float*)y)[i] = real; break;
        case F16: ((uint16_t*)y)[i] = to_f16(real); break;
        case BF16: ((uint16_t*)y)[i] = to_bf16(real); break;
        case I32:
            ((int32_t*)y)[i] =
                (int32_t)(is_whole ? whole : truncated(real, -2147483648.0f, 2147483648.0f));
            break;
        case I64:
            ((int64_t*)y)[i] = is_whole
                ? whole
                : truncated(real, -9223372036854775808.0f, 9223372036854775808.0f);
            break;
        case U8: ((uint8_t*)y)[i] = (uint8_t)(is_whole ? whole : truncated(real, 0, 256)); break;
        }
    }
}

// GELU′ in its tanh form; the hardware's tanh is good to 2⁻¹¹, more than bfloat16 holds.
__device__ __forceinline__ float gelu_slope_fast(float x) {
    const float inner = 0.7978845608f * (x + 0.044715f * x * x * x);
    float t;
    asm("tanh.approx.f32 %0, %1;" : "=f"(t) : "f"(inner));
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * 0.7978845608f * (1 + 0.134145f * x * x);
}

// dx = dy · GELU′(x) over rows of bfloat16, a multiple of 8 wide, in place; sums [gridDim.y][width] of dx over
// parts of the rows. Grid (columns / 256, parts), block 256: a lane eight columns, a warp every eighth row.
extern "C" __global__ void __launch_bounds__(256) gelu_gradient_rows_bf16(
    uint16_t* dy, const uint16_t* x, float* sums, int rows, int width) {
    __shared__ float scratch[8][256];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int column = blockIdx.x * 256 + lane * 8;
    const int begin = (int)((int64_t)rows * blockIdx.y / gridDim.y);
    const int end = (int)((int64_t)rows * (blockIdx.y + 1) / gridDim.y);
    float sum[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    if (column < width)
#pragma unroll 2
        for (int r = begin + warp; r < end; r += 8) {
            const int64_t at = (int64_t)r * width + column;
            const uint4 d = *(const uint4*)(dy + at), v = *(const uint4*)(x + at);
            const uint32_t ds[4] = {d.x, d.y, d.z, d.w}, vs[4] = {v.x, v.y, v.z, v.w};
            uint32_t out[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const float low = __uint_as_float(ds[i] << 16) *
                                  gelu_slope_fast(__uint_as_float(vs[i] << 16));
                const float high = __uint_as_float(ds[i] & 0xffff0000u) *
                                   gelu_slope_fast(__uint_as_float(vs[i] & 0xffff0000u));
                sum[2 * i] += low;
                sum[2 * i + 1] += high;
                out[i] = to_bf16x2(low, high);
            }
            *(uint4*)(dy + at) = make_uint4(out[0], out[1], out[2], out[3]);
        }
#pragma unroll
    for (int i = 0; i < 8; ++i) scratch[warp][lane * 8 + i] = sum[i];
    __syncthreads();
    float total = 0;
    for (int w = 0; w < 8; ++w) total += scratch[w][threadIdx.x];
    const int own = blockIdx.x * 256 + threadIdx.x;
    if (own < width) sums[(int64_t)blockIdx.y * width + own] = total;
}
