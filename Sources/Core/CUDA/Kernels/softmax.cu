// Softmax and cross-entropy on CUDA. SPDX-License-Identifier: Apache-2.0
