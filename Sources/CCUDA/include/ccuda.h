// CUDA's libraries, opened at run time: the driver, NVRTC, cuBLASLt and NCCL.
// Calls return the library's own status (0 = success) or CCUDA_ABSENT. SPDX-License-Identifier: Apache-2.0
#ifndef CCUDA_H
#define CCUDA_H

#include <stddef.h>
#include <stdint.h>

#define CCUDA_ABSENT (-1)

// MARK: Libraries
typedef enum {
    CCUDA_DRIVER, CCUDA_NVRTC, CCUDA_BLAS, CCUDA_NCCL, CCUDA_LIBRARY_COUNT
} ccuda_library;

// Opens a library once. `folders`: colon-separated places looked in after the system's; may be NULL.
// Returns 0, or CCUDA_ABSENT with the reason in ccuda_problem.
int ccuda_open(ccuda_library library, const char *folders);
// Why it could not be opened; "" when it was.
const char *ccuda_problem(ccuda_library library);
// Name or path it was opened by; "" when it was not.
const char *ccuda_path(ccuda_library library);

// MARK: Driver; streams, modules, functions, events and graphs are opaque
typedef struct {
    char name[128];
    int major, minor, multiprocessors, shared_per_block;
    size_t memory;
} ccuda_description;

int ccuda_initialize(int *device_count, int *driver_version);
int ccuda_describe(int device, ccuda_description *description);
int ccuda_context_create(int device, void **context);
int ccuda_context_release(int device);
int ccuda_context_use(void *context);
int ccuda_memory_info(size_t *free_bytes, size_t *total_bytes);
int ccuda_allocate(uint64_t *address, size_t bytes);
int ccuda_free(uint64_t address);
int ccuda_host_allocate(void **address, size_t bytes);
int ccuda_host_free(void *address);
int ccuda_stream_create(void **stream);
int ccuda_stream_destroy(void *stream);
int ccuda_stream_wait(void *stream);
int ccuda_upload(uint64_t to, const void *from, size_t bytes, void *stream);
int ccuda_download(void *to, uint64_t from, size_t bytes, void *stream);
int ccuda_copy(uint64_t to, uint64_t from, size_t bytes, void *stream);
int ccuda_fill8(uint64_t to, uint8_t value, size_t count, void *stream);
int ccuda_fill32(uint64_t to, uint32_t value, size_t count, void *stream);
int ccuda_module_load(const void *image, void **module);
int ccuda_module_unload(void *module);
int ccuda_function(void *module, const char *name, void **function);
// Each argument occupies one 8-byte slot, its value at the slot's start.
int ccuda_launch(
    void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_bytes,
    void *stream, const uint64_t *slots, int count);
// The same for a kernel that waits by itself for what the one before it writes, and may start before that ends.
int ccuda_launch_early(
    void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_bytes,
    void *stream, const uint64_t *slots, int count);
// How the tensor memory accelerator reads bf16 elements: sizes, bytes between neighbours of every
// dimension but the first, and the box of one copy; 64-byte rows, swizzled.
typedef struct {
    uint64_t address;
    int rank;
    uint64_t sizes[4];
    uint64_t strides[3];
    uint32_t box[4];
} ccuda_tensor_map;
// The kernel's first parameters are `map_count` (at most 2) maps; capability 9.0.
int ccuda_launch_mapped(
    void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_bytes,
    void *stream, const ccuda_tensor_map *maps, int map_count, const uint64_t *slots, int count);
int ccuda_event_create(void **event);
int ccuda_event_destroy(void *event);
int ccuda_event_record(void *event, void *stream);
int ccuda_event_wait(void *event);
int ccuda_event_milliseconds(float *milliseconds, void *start, void *end);
int ccuda_capture_begin(void *stream);
int ccuda_capture_end(void *stream, void **graph);
int ccuda_graph_instantiate(void *graph, void **executable);
int ccuda_graph_launch(void *executable, void *stream);
int ccuda_graph_destroy(void *graph);
int ccuda_graph_executable_destroy(void *executable);
// "CUDA_ERROR_OUT_OF_MEMORY: out of memory".
void ccuda_error_text(int status, char *text, size_t size);

// MARK: NVRTC
int ccuda_nvrtc_version(int *major, int *minor);
// Compiles to machine code. On success *image is malloc'ed and the caller frees it; on failure *log is.
int ccuda_compile(
    const char *source, const char *name, const char *const *options, int option_count,
    void **image, size_t *image_size, char **log);

// MARK: cuBLASLt; column-major as the library's
typedef enum { CCUDA_F32 = 0, CCUDA_F16 = 2, CCUDA_BF16 = 14 } ccuda_type;

// What is done to sums before they are written. Biases and the input of GELU have the type of D, GELU its
// tanh form; the input lies as D does.
typedef enum {
    CCUDA_PLAIN,
    CCUDA_BIAS,                // D = sums + bias [m]
    CCUDA_BIAS_GELU,           // D = GELU(sums + bias)
    CCUDA_BIAS_GELU_INPUT      // the same; sums + bias go to `input`
} ccuda_epilogue;

// D [m, n] = op(A) [m, k] · op(B) [k, n], batched at fixed strides, f32 sums.
typedef struct {
    int32_t transpose_a, transpose_b, type_ab, type_d, epilogue, batch;
    int64_t m, n, k, lda, ldb, ldd, stride_a, stride_b, stride_d;
    int32_t alignment;  // of all addresses, in bytes
} ccuda_product;

int ccuda_blas_create(void **handle);
int ccuda_blas_destroy(void *handle);
size_t ccuda_blas_version(void);
int ccuda_plan_create(void *handle, const ccuda_product *product, size_t workspace, void **plan);
void ccuda_plan_destroy(void *plan);
int ccuda_plan_run(
    void *handle, void *plan, float alpha, uint64_t a, uint64_t b, float beta, uint64_t bias,
    uint64_t input, uint64_t d, uint64_t workspace, size_t workspace_size, void *stream);

// MARK: NCCL
#define CCUDA_NCCL_ID_SIZE 128
int ccuda_nccl_version(int *version);
int ccuda_nccl_unique_id(uint8_t id[CCUDA_NCCL_ID_SIZE]);
int ccuda_nccl_create(void **communicator, int size, const uint8_t id[CCUDA_NCCL_ID_SIZE], int rank);
int ccuda_nccl_destroy(void *communicator);
// float32; in place when both addresses are equal.
int ccuda_nccl_average(
    uint64_t from, uint64_t to, size_t count, void *communicator, void *stream);
int ccuda_nccl_broadcast(
    uint64_t address, size_t bytes, int root, void *communicator, void *stream);
// `bytes` of every process, one after the other.
int ccuda_nccl_gather(
    uint64_t from, uint64_t to, size_t bytes, void *communicator, void *stream);
int ccuda_nccl_group_start(void);
int ccuda_nccl_group_end(void);
const char *ccuda_nccl_error_text(int status);

// MARK: Embedded CUDA sources
typedef enum {
    CCUDA_SOURCE_COMMON, CCUDA_SOURCE_TENSORCORE, CCUDA_SOURCE_ELEMENTWISE, CCUDA_SOURCE_REDUCTIONS,
    CCUDA_SOURCE_OPTIMIZERS, CCUDA_SOURCE_CONVOLUTION, CCUDA_SOURCE_NORMALIZATION,
    CCUDA_SOURCE_ATTENTION_HEADER, CCUDA_SOURCE_ATTENTION, CCUDA_SOURCE_ATTENTION_BF16,
    CCUDA_SOURCE_LAYERNORM, CCUDA_SOURCE_SOFTMAX,
    CCUDA_SOURCE_ROWS, CCUDA_SOURCE_PLANES, CCUDA_SOURCE_FIELDS, CCUDA_SOURCE_SAMPLING,
    CCUDA_SOURCE_SKINNY, CCUDA_SOURCE_WGMMA, CCUDA_SOURCE_ATTENTION_SM90,
    CCUDA_SOURCE_ATTENTION_GRADIENT_SM90, CCUDA_SOURCE_ATTENTION_SM90_HEADER,
    CCUDA_SOURCE_CONVOLUTION_WGMMA, CCUDA_SOURCE_CHANNELS_LAST, CCUDA_SOURCE_ATTENTION_BF16_HEADER,
    CCUDA_SOURCE_ATTENTION_GRADIENT_BF16, CCUDA_SOURCE_CONVOLUTION_F32
} ccuda_source_name;
// A text that ends in a zero byte.
const char *ccuda_source(ccuda_source_name name);

#endif
