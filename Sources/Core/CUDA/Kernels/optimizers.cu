// Optimiser steps over many tensors on CUDA. SPDX-License-Identifier: Apache-2.0
